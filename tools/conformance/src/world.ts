// The environment of a check: a broker (our own on a simulated clock, or any other by its address), and ways to connect
// to it. Names are unique, so that a broker that remembers earlier checks does not disturb.
import { randomBytes } from "node:crypto";
import { createBroker } from "@wrenmq/broker";
import {
  type BrokerFixture,
  type ConnectOptions,
  dialTcp,
  dialWebSocket,
  type FixtureOptions,
  type Pace,
  pluginOf,
  RawClient,
  RealPace,
  startBroker,
} from "@wrenmq/testkit";

/** MQTT 3.1.1 and MQTT 5.0. */
export type Version = 4 | 5;

export interface World {
  readonly version: Version;
  /** Our own broker: its answers must be what we promise, not only what the standard demands. */
  readonly own: BrokerFixture | undefined;
  /** A connection on which nothing was sent yet. */
  open(version?: Version): Promise<RawClient>;
  /** A connected client, by default with a unique identifier and a session that ends with the connection. */
  connect(options?: ConnectOptions, version?: Version): Promise<RawClient>;
  /** Unique in this check, at most 23 characters. */
  id(name: string): string;
  /** A topic or filter below a root of this check. */
  t(name: string): string;
  advance(milliseconds: number): Promise<void>;
  stop(): Promise<void>;
}

interface Site {
  readonly own: BrokerFixture | undefined;
  readonly pace: Pace;
  open(version: Version): Promise<RawClient>;
  stop(): Promise<void>;
}

class SiteWorld implements World {
  readonly version: Version;
  readonly own: BrokerFixture | undefined;
  readonly #site: Site;
  readonly #name: string;
  readonly #clients: RawClient[] = [];

  constructor(site: Site, version: Version) {
    this.#site = site;
    this.own = site.own;
    this.version = version;
    this.#name = site.own === undefined ? randomBytes(4).toString("hex") : "w";
  }

  async open(version: Version = this.version): Promise<RawClient> {
    const client = await this.#site.open(version);
    this.#clients.push(client);
    return client;
  }

  async connect(options: ConnectOptions = {}, version: Version = this.version): Promise<RawClient> {
    const client = await this.open(version);
    await client.connect({ clientId: this.id(`c${this.#clients.length}`), ...options });
    return client;
  }

  id(name: string): string {
    return `${this.#name}${name}`;
  }

  t(name: string): string {
    return `${this.#name}/${name}`;
  }

  advance(milliseconds: number): Promise<void> {
    return this.#site.pace.advance(milliseconds);
  }

  async stop(): Promise<void> {
    if (this.own === undefined) for (const client of this.#clients) client.destroy();
    await this.#site.stop();
  }
}

/** Our broker in memory, with a simulated clock. */
export async function memoryWorld(version: Version, options: FixtureOptions = {}): Promise<World> {
  const fixture = await startBroker(options);
  const { pace } = fixture;
  return new SiteWorld(
    { own: fixture, pace, open: (as) => Promise.resolve(fixture.open(as)), stop: () => fixture.stop() },
    version,
  );
}

/** Our broker behind a real socket, with the real clock. */
export async function socketWorld(version: Version, way: "tcp" | "ws"): Promise<World> {
  const broker = createBroker({
    listeners: { door: { type: way, host: "127.0.0.1", port: 0 } },
    plugins: [pluginOf("test", { authenticate: () => true })],
    sys: { intervalSeconds: 0 },
  });
  await broker.start();
  const port = broker.port("door") as number;
  const pace = new RealPace();
  const dial = (): ReturnType<typeof dialTcp> =>
    way === "tcp" ? dialTcp("127.0.0.1", port) : dialWebSocket(`ws://127.0.0.1:${port}`);
  const site: Site = {
    own: undefined,
    pace,
    open: async (as) => new RawClient(await dial(), as, pace),
    stop: () => broker.shutdown(),
  };
  return new SiteWorld(site, version);
}

/**
 * Any broker.
 * @param address `mqtt://host:port`
 */
export function foreignWorld(version: Version, address: string): World {
  return spreadWorld(version, [address]);
}

/** Any brokers that act as one: each connection goes to the next. */
export function spreadWorld(version: Version, addresses: readonly string[]): World {
  const pace = new RealPace();
  let next = 0;
  const dial = (): ReturnType<typeof dialTcp> => {
    const address = addresses[next % addresses.length] as string;
    next++;
    const { hostname, port, protocol } = new URL(address);
    return protocol.startsWith("ws") ? dialWebSocket(address) : dialTcp(hostname, Number(port === "" ? 1883 : port));
  };
  const site: Site = {
    own: undefined,
    pace,
    open: async (as) => new RawClient(await dial(), as, pace),
    stop: () => Promise.resolve(),
  };
  return new SiteWorld(site, version);
}
