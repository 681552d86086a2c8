// A broker with the admin API and the dashboard, and MQTT clients of it, for as long as a test needs them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdmin } from "@wrenmq/admin";
import { AdminHttp, type AdminHttpOptions } from "@wrenmq/admin/http";
import { createToken } from "@wrenmq/auth-token";
import { type Broker, type BrokerOptions, createBroker, silentLogger } from "@wrenmq/broker";
import type { ConfiguredBroker } from "@wrenmq/host";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { inject, onTestFinished } from "vitest";

export type Plugin = NonNullable<BrokerOptions["plugins"]>[number];

export interface LiveBroker {
  readonly broker: Broker;
  readonly address: string;
  /** For files, until the end of the test. */
  readonly folder: string;
  readonly tokensFile: string;
  /** Tokens by role. */
  readonly tokens: Readonly<Record<"read" | "operate" | "admin", string>>;
  /** A client that is connected. */
  client(clientId: string, options?: IClientOptions): Promise<MqttClient>;
  /** Closes the admin API. */
  close(): Promise<void>;
  /** Opens the admin API again, at the same port. */
  open(): Promise<void>;
}

export interface LiveOptions {
  readonly broker?: Partial<BrokerOptions>;
  /** A broker of a configuration, instead of one with these options; it is closed at the end. */
  readonly host?: ConfiguredBroker;
  readonly http?: Partial<{ [Key in keyof AdminHttpOptions]: AdminHttpOptions[Key] | undefined }>;
}

/** Until the end of the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-live-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function liveBroker({ broker: given = {}, host, http: more }: LiveOptions = {}): Promise<LiveBroker> {
  const folder = await temporaryFolder();
  const tokensFile = join(folder, "tokens");
  const tokens = { read: "", operate: "", admin: "" };
  for (const role of ["read", "operate", "admin"] as const) {
    tokens[role] = (await createToken(tokensFile, { user: `${role}-user`, role })).token;
  }
  const broker =
    host?.broker ??
    createBroker({
      listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
      plugins: [{ name: "everybody", setup: () => ({ authenticate: () => true }) }],
      ...given,
    });
  await broker.start();
  const logger = silentLogger;
  const admin = createAdmin({ broker, logger, ...(host === undefined ? {} : { reload: host.reload }) });
  const start = (port: number): Promise<AdminHttp> =>
    AdminHttp.start({
      admin,
      logger,
      host: "127.0.0.1",
      port,
      tokensFile,
      dashboard: inject("dashboard"),
      ...more,
    } as AdminHttpOptions);
  let http = await start(0);
  const { address } = http;
  const clients: MqttClient[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.endAsync(true)));
    await http.close();
    admin.close();
    await (host === undefined ? broker.shutdown() : host.close());
  });
  const [listener] = broker.operations.listeners();
  const url = `mqtt://${listener?.address?.replace(/^\w+:\/\//, "")}`;
  return {
    broker,
    address,
    folder,
    tokensFile,
    tokens,
    client: async (clientId, options = {}) => {
      const client = await mqtt.connectAsync(url, { clientId, protocolVersion: 5, reconnectPeriod: 0, ...options });
      client.on("error", () => {});
      clients.push(client);
      return client;
    },
    close: () => http.close(),
    open: async () => {
      http = await start(Number(new URL(address).port));
    },
  };
}
