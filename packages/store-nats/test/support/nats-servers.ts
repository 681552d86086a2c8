// nats-servers of Debian, one or three that form a cluster, with a user that may do no more than docs/clustering.md says.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";

const PROGRAM = "/usr/sbin/nats-server";

export const isNatsHere: boolean = existsSync(PROGRAM);
if (!isNatsHere) process.stderr.write("notice: nats-server is not installed, its tests are skipped\n");

export const USER = { user: "wren", pass: "secret-of-wren" };

/** All that an owner of this stream needs. */
export function permissions(stream: string, subject: string): { publish: string[]; subscribe: string[] } {
  return {
    publish: [
      subject,
      `$JS.API.STREAM.INFO.${stream}`,
      `$JS.API.STREAM.CREATE.${stream}`,
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.STREAM.PURGE.${stream}`,
      `$JS.API.CONSUMER.CREATE.${stream}.>`,
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.>`,
      `$JS.API.CONSUMER.DELETE.${stream}.>`,
    ],
    subscribe: ["_INBOX.>"],
  };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export class NatsServers implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "wrenmq-nats-"));
  readonly #ports: readonly number[];
  readonly #processes = new Map<number, ChildProcess>();

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  /** @param allowed to the user */
  static async start(count: number, allowed: object): Promise<NatsServers> {
    const ports = await freePorts(2 * count);
    const servers = new NatsServers(ports.slice(0, count));
    for (let index = 0; index < count; index++) servers.#configure(index, ports.slice(count), allowed);
    servers.startAll();
    return servers;
  }

  get urls(): string[] {
    return this.#ports.map((port) => `nats://127.0.0.1:${port}`);
  }

  /** A connection that comes back for ever. */
  async connect(): Promise<NatsConnection> {
    return connect({
      servers: this.urls,
      ...USER,
      maxReconnectAttempts: -1,
      waitOnFirstConnect: true,
      reconnectTimeWait: 100,
      pingInterval: 1_000,
      maxPingOut: 2,
    });
  }

  /** Of the server with this name. */
  indexOf(name: string | undefined): number {
    return Number(name?.slice(1) ?? 0);
  }

  start(index: number): void {
    this.#processes.set(index, spawn(PROGRAM, ["-c", this.#fileOf(index)], { stdio: "ignore" }));
  }

  startAll(): void {
    for (const index of this.#ports.keys()) this.start(index);
  }

  /** Without a word. Resolves when it has ended. */
  async kill(index: number): Promise<void> {
    const running = this.#processes.get(index);
    this.#processes.delete(index);
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await ended;
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#ports.map((_, index) => this.kill(index)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #fileOf(index: number): string {
    return join(this.#folder, `nats-${index}.conf`);
  }

  #configure(index: number, routes: readonly number[], allowed: object): void {
    const config = {
      server_name: `n${index}`,
      host: "127.0.0.1",
      port: this.#ports[index],
      jetstream: { store_dir: join(this.#folder, `js-${index}`), max_mem: "64M", max_file: "1G" },
      authorization: { users: [{ user: USER.user, password: USER.pass, permissions: allowed }] },
      ...(routes.length === 1
        ? {}
        : {
            cluster: {
              name: "test",
              host: "127.0.0.1",
              port: routes[index],
              routes: routes.map((port) => `nats-route://127.0.0.1:${port}`),
            },
          }),
    };
    writeFileSync(this.#fileOf(index), JSON.stringify(config));
  }
}
