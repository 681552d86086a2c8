// A broker on real sockets with its admin API, and two MQTT clients that show that the broker serves while somebody else
// attacks the API.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createToken } from "@wrenmq/auth-token";
import { type Broker, createBroker } from "@wrenmq/broker";
import { dialTcp, pluginOf, RawClient, RealPace } from "@wrenmq/testkit";
import { expect } from "vitest";
import { AdminHttp, type AdminHttpOptions } from "../../src/http/index.ts";
import { type Admin, createAdmin } from "../../src/index.ts";
import { MemoryLogger } from "./memory-logger.ts";

export class ServedBroker {
  readonly logger: MemoryLogger = new MemoryLogger();
  readonly broker: Broker = createBroker({
    listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
    plugins: [pluginOf("everybody", { authenticate: () => true })],
    sys: { intervalSeconds: 0 },
  });
  readonly admin: Admin = createAdmin({ broker: this.broker, logger: this.logger });
  readonly tokens: Record<"read" | "operate" | "admin", string> = { read: "", operate: "", admin: "" };
  readonly #servers: AdminHttp[] = [];
  #folder = "";
  #publisher!: RawClient;
  #subscriber!: RawClient;
  #sent = 0;

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), "wrenmq-admin-"));
    for (const role of ["read", "operate", "admin"] as const) {
      this.tokens[role] = (await createToken(this.#tokensFile, { user: role, role })).token;
    }
    await this.broker.start();
    [this.#publisher, this.#subscriber] = [await this.#client("publisher"), await this.#client("subscriber")];
    await this.#subscriber.subscribe("service", { qos: 1 });
  }

  /** Opens the API, with times that a test can wait for. */
  async open(options: Partial<AdminHttpOptions> = {}): Promise<AdminHttp> {
    const { admin, logger } = this;
    const http = await AdminHttp.start({
      admin,
      logger,
      host: "127.0.0.1",
      port: 0,
      tokensFile: this.#tokensFile,
      ...options,
      bounds: { headersTimeout: 400, requestTimeout: 800, checkInterval: 50, slowestReader: 500, ...options.bounds },
    });
    this.#servers.push(http);
    return http;
  }

  /** Closes what `open` has opened. */
  async closeApi(): Promise<void> {
    for (const http of this.#servers.splice(0)) await http.close();
  }

  async stop(): Promise<void> {
    await this.closeApi();
    this.admin.close();
    await this.broker.shutdown();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Messages pass from client to client all the while: each arrives, in order, and is acknowledged. */
  async during<T>(attack: () => Promise<T>): Promise<T> {
    let isOver = false;
    const result = attack().finally(() => {
      isOver = true;
    });
    result.catch(() => {});
    do await this.#exchange();
    while (!isOver);
    for (let more = 0; more < 5; more++) await this.#exchange();
    const { connectionsAccepted, droppedQueueFull, droppedBlocked, droppedOffline } = this.broker.metrics();
    expect([connectionsAccepted, droppedQueueFull, droppedBlocked, droppedOffline]).toEqual([2, 0, 0, 0]);
    return result;
  }

  async #exchange(): Promise<void> {
    const text = String(++this.#sent);
    expect(await this.#publisher.publish("service", text, { qos: 1 })).toBe(0);
    await this.#subscriber.take("service", text);
  }

  get #tokensFile(): string {
    return join(this.#folder, "tokens");
  }

  async #client(clientId: string): Promise<RawClient> {
    const connection = await dialTcp("127.0.0.1", this.broker.port("tcp") ?? 0);
    const client = new RawClient(connection, 5, new RealPace());
    await client.connect({ clientId });
    return client;
  }
}
