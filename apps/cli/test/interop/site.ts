// The command as people run it, with a listener of every kind, for all tests of a file; and programs that may be missing.
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, vi } from "vitest";
import { BrokerProcess } from "../support/broker-process.ts";
import { makeCertificate } from "../support/certificate.ts";
import { type Finished, runProgram } from "../support/command.ts";

// Programs of others start slowly where much else runs.
vi.setConfig({ testTimeout: 60_000 });

export type Way = "tcp" | "tls" | "ws" | "wss" | "unix";
export const VERSIONS = [
  ["3.1", 3],
  ["3.1.1", 4],
  ["5", 5],
] as const;
export type Version = (typeof VERSIONS)[number][1];

export interface Site {
  readonly folder: string;
  /** File with the chain of the broker's certificate. */
  readonly certificate: string;
  readonly socket: string;
  readonly ports: Readonly<Record<Exclude<Way, "unix">, number>>;
  url(way: Exclude<Way, "unix">): string;
}

/** A broker that lets everyone in, from before the first test of the file to behind its last one. */
export function siteOfFile(): () => Site {
  let site: Site | undefined;
  let broker: BrokerProcess | undefined;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "wrenmq-interop-"));
    const { certificate, key } = await makeCertificate(folder);
    const socket = join(folder, "mqtt.sock");
    const tls = `tls: { certificate_file: ${certificate}, key_file: ${key} }`;
    const lines = [
      "wrenmq: 1",
      "listeners:",
      "  tcp: { bind: 127.0.0.1:0 }",
      `  tls: { type: tls, bind: 127.0.0.1:0, ${tls} }`,
      "  ws: { type: ws, bind: 127.0.0.1:0, path: /mqtt }",
      `  wss: { type: wss, bind: 127.0.0.1:0, path: /mqtt, ${tls} }`,
      `  unix: { type: unix, path: ${socket} }`,
      "plugins:",
      "  anonymous: {}",
      // Paho for C always begins a clean session: those whose name says so get one that lasts all the same.
      "  lasting: { use: ./lasting.mjs }",
    ];
    await writeFile(join(folder, "lasting.mjs"), LASTING_PLUGIN);
    const file = join(folder, "wrenmq.yaml");
    await writeFile(file, `${lines.join("\n")}\n`);
    broker = new BrokerProcess(["-c", file]);
    const started = broker;
    const [tcp, secure, ws, wss] = await Promise.all(["tcp", "tls", "ws", "wss"].map((name) => started.port(name)));
    await broker.address("unix");
    const ports = { tcp: tcp ?? 0, tls: secure ?? 0, ws: ws ?? 0, wss: wss ?? 0 };
    site = {
      folder,
      certificate,
      socket,
      ports,
      url: (way) => `${SCHEMES[way]}://127.0.0.1:${ports[way]}${PATHS[way]}`,
    };
  }, 60_000);
  afterAll(async () => {
    await broker?.stop();
    if (site !== undefined) await rm(site.folder, { recursive: true, force: true });
  });
  return () => site as Site;
}

const SCHEMES = { tcp: "mqtt", tls: "mqtts", ws: "ws", wss: "wss" } as const;
const PATHS = { tcp: "", tls: "", ws: "/mqtt", wss: "/mqtt" } as const;

const LASTING_PLUGIN = `export default () => ({
  name: "lasting",
  setup: () => ({
    connect: (_client, packet) =>
      packet.clientId.startsWith("lasting-") ? { ...packet, cleanStart: false } : packet,
  }),
});
`;

/** Is this program here? Says so if it is not. */
export function isInstalled(program: string, debianPackage: string): boolean {
  if (existsSync(program)) return true;
  process.stderr.write(`notice: the tests with ${program} are skipped: ${debianPackage} is not installed\n`);
  return false;
}

/** Milliseconds that a client may take; only tests that fail take so long. */
const PATIENCE = 30_000;

/** Runs a client to its end. */
export function run(program: string, words: readonly string[]): Promise<Finished> {
  return runProgram(program, words, { timeout: PATIENCE });
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves when the condition holds; fails when it does not for very long. */
export async function until(condition: () => boolean, what: () => string): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
