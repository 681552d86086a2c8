// nats-server of Debian, with a user that may do no more than docs/clustering.md says.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = "/usr/sbin/nats-server";

export const isNatsHere: boolean = existsSync(PROGRAM);
if (!isNatsHere) process.stderr.write("notice: nats-server is not installed, its tests are skipped\n");

export const USER = { username: "wren", password: "secret-of-wren" };

/** All that a member needs, for a cluster of this name; with shards each of their journals is a stream. */
export function permissions(cluster: string, shards = 0): object {
  const bucket = `WREN_${cluster}`;
  const streams = Array.from({ length: shards }, (_, shard) => `${bucket}_J${shard}`);
  return {
    publish: [
      `wren.${cluster}.>`,
      `$KV.${bucket}.>`,
      "$JS.API.INFO",
      `$JS.API.STREAM.INFO.KV_${bucket}`,
      `$JS.API.STREAM.CREATE.KV_${bucket}`,
      `$JS.API.DIRECT.GET.KV_${bucket}.>`,
      ...streams.flatMap((stream) => [
        `$JS.API.STREAM.INFO.${stream}`,
        `$JS.API.STREAM.CREATE.${stream}`,
        `$JS.API.STREAM.MSG.GET.${stream}`,
        `$JS.API.STREAM.PURGE.${stream}`,
        `$JS.API.CONSUMER.CREATE.${stream}.>`,
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.>`,
        `$JS.API.CONSUMER.DELETE.${stream}.>`,
      ]),
    ],
    subscribe: [`wren.${cluster}.>`, "_INBOX.>"],
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  /** @param cluster of which the user may be a member, with so many shards */
  static async start(cluster: string, isStarted = true, shards = 0): Promise<NatsServer> {
    const folder = mkdtempSync(join(tmpdir(), "wrenmq-nats-"));
    const server = new NatsServer(await freePort(), folder);
    const config = {
      host: "127.0.0.1",
      port: server.port,
      jetstream: { store_dir: join(folder, "js"), max_mem: "32M", max_file: "64M" },
      authorization: {
        users: [{ user: USER.username, password: USER.password, permissions: permissions(cluster, shards) }],
      },
    };
    writeFileSync(join(folder, "nats.conf"), JSON.stringify(config));
    if (isStarted) await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#process = spawn(PROGRAM, ["-c", join(this.#folder, "nats.conf")], { stdio: "ignore" });
    while (!(await answers(this.port))) {
      if (this.#process.exitCode !== null) throw new Error("nats-server has ended");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Without a word. Resolves when it has ended. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
