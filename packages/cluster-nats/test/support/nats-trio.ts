// Three nats-servers that form a cluster with JetStream, each a process of its own that may be killed and started again.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { permissions, USER } from "./nats-server.ts";

const PROGRAM = "/usr/sbin/nats-server";

/** Where a server runs. */
export interface NatsPlace {
  /** Address that it listens at. */
  readonly host: string;
  /** A command that runs it, such as `ip netns exec …`. Default: none. */
  readonly within?: readonly string[];
}

interface Ports {
  readonly client: number;
  readonly route: number;
  readonly monitor: number;
}

const HERE: NatsPlace = { host: "127.0.0.1" };

/** Below those that systems give to connections: nobody takes it while its server is down. */
async function portAt(host: string): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      // An address of a network namespace is not ours: there every port is free.
      server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
      server.listen(port, host, () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

export class NatsTrio implements AsyncDisposable {
  readonly #folder: string;
  readonly #places: readonly NatsPlace[];
  readonly #ports: readonly Ports[];
  readonly #running = new Map<number, ChildProcess>();

  private constructor(folder: string, places: readonly NatsPlace[], ports: readonly Ports[]) {
    this.#folder = folder;
    this.#places = places;
    this.#ports = ports;
  }

  /**
   * Starts them, and waits until JetStream serves.
   * @param cluster of which the user may be a member
   * @param changes to the configuration of each, in its JSON form
   */
  static async start(
    cluster: string,
    places: readonly NatsPlace[] = [HERE, HERE, HERE],
    changes: object = {},
  ): Promise<NatsTrio> {
    const folder = mkdtempSync(join(tmpdir(), "wrenmq-nats-"));
    const ports: Ports[] = [];
    for (const { host } of places) {
      ports.push({ client: await portAt(host), route: await portAt(host), monitor: await portAt(host) });
    }
    const routes = ports.map(({ route }, n) => `nats-route://${places[n]?.host}:${route}`);
    for (const [n, { client, route, monitor }] of ports.entries()) {
      const host = places[n]?.host;
      const store = join(folder, `js-${n}`);
      mkdirSync(store);
      const config = {
        server_name: `nats-${n}`,
        host,
        port: client,
        http: `${host}:${monitor}`,
        jetstream: { store_dir: store, max_mem: "32M", max_file: "1G" },
        ...(places.length > 1 ? { cluster: { name: "trio", host, port: route, routes, no_advertise: true } } : {}),
        authorization: {
          users: [{ user: USER.username, password: USER.password, permissions: permissions(cluster, 6) }],
        },
        ...changes,
      };
      writeFileSync(join(folder, `nats-${n}.conf`), JSON.stringify(config));
    }
    const trio = new NatsTrio(folder, places, ports);
    for (const n of ports.keys()) trio.start(n);
    await trio.untilReady();
    return trio;
  }

  get count(): number {
    return this.#ports.length;
  }

  get urls(): string[] {
    return this.#ports.map(({ client }, n) => `nats://${this.#places[n]?.host}:${client}`);
  }

  pid(n: number): number | undefined {
    return this.#running.get(n)?.pid;
  }

  start(n: number): void {
    const [command = PROGRAM, ...words] = [
      ...(this.#places[n]?.within ?? []),
      PROGRAM,
      "-c",
      join(this.#folder, `nats-${n}.conf`),
      "-l",
      join(this.#folder, `nats-${n}.log`),
    ];
    this.#running.set(n, spawn(command, words, { stdio: "ignore" }));
  }

  /** Without a word. Resolves when it has ended. */
  async kill(n: number): Promise<void> {
    const running = this.#running.get(n);
    this.#running.delete(n);
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await ended;
  }

  /** @returns does JetStream of this server serve? */
  isReady(n: number): Promise<boolean> {
    return new Promise((resolve) => {
      const [host, port] = [this.#places[n]?.host, this.#ports[n]?.monitor];
      const request = get({ host, port, path: "/healthz", timeout: 1_000 }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.once("timeout", () => request.destroy());
      request.once("error", () => resolve(false));
    });
  }

  /** All that run serve. @throws Error when one has ended by itself */
  async untilReady(): Promise<void> {
    for (const [n, { exitCode, signalCode }] of this.#running) {
      while (!(await this.isReady(n))) {
        if (exitCode !== null || signalCode !== null) throw new Error(`nats-server ${n} has ended`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const n of this.#ports.keys()) await this.kill(n);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
