// Lets V8 compile what a broker does for the first of its many clients before they come: connecting them, and sending
// them retained messages. Otherwise the first thousands of clients wait while it is interpreted, and then compiled, next
// to them. All of it happens in this process: brokers of its own, which nobody else can reach, and simulated handles.
import { encode, type Packet } from "@wrenmq/codec";
import { definePlugin, type Logger } from "@wrenmq/plugin-api";
import { type SimulatedHandle, simulatedHandles } from "@wrenmq/transport";
import { type Broker, createBroker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";

/** One broker would not do: what V8 compiles while there is only one takes its objects for constants, and is thrown away. */
const ROUNDS = 3;
/** In each round; from this order of magnitude on V8 has compiled nearly everything. */
const CLIENTS = 400;
const RETAINED = 500;
const READS = 6;
/** Between two turns of the event loop: a few milliseconds of work in a process that has just started. */
const AT_ONCE = 20;
/** Turns of the event loop that the retained messages may take; they take two or three. */
const PATIENCE = 100;

const LISTENER = "warm-up";
const everyone = definePlugin({ name: "everyone", hooks: () => ({ authenticate: () => true }) });
const SECRET = new Uint8Array(8);
const PAYLOAD = new Uint8Array(64);
const DISCONNECT = bytesOf({ type: "disconnect", reasonCode: 0 });
const SUBSCRIBE = bytesOf({
  type: "subscribe",
  packetId: 1,
  subscriptions: [{ topicFilter: "#", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
});

export interface WarmUpOptions {
  /** Called every few milliseconds: true ends the warm-up, for example because a client has connected. */
  readonly until?: () => boolean;
  /**
   * Gets the lines about the practice clients: a logger of the kind that the broker has, which writes nothing. Without it
   * the first lines of the real log are formatted by code that is not compiled yet.
   */
  readonly logger?: Logger | undefined;
}

/**
 * Prepares this process for its first clients: about a quarter of a second of CPU, in pieces of a few milliseconds. To
 * be called once, after the start, and worth it where thousands of clients connect or read retained messages soon.
 * @returns was everything done? false where it was stopped, or there is nothing to do (`WRENMQ_RAW_TCP=0`, Windows)
 */
export async function warmUp({ until = () => false, logger }: WarmUpOptions = {}): Promise<boolean> {
  const newHandle = simulatedHandles();
  if (newHandle === undefined) return false;
  const options: BrokerOptions = {
    listeners: { [LISTENER]: { type: "external" } },
    plugins: [everyone()],
    ...(logger === undefined ? {} : { logger }),
  };
  const brokers = Array.from({ length: ROUNDS }, () => createBroker(options));
  try {
    for (const broker of brokers) await broker.start();
    // Connecting comes first: every client does that.
    for (const work of [connectMany, readRetained]) {
      for (const broker of brokers) {
        const open = (): SimulatedHandle => {
          const handle = newHandle();
          broker.adopt(handle, { listener: LISTENER, transport: "tcp" });
          return handle;
        };
        if (!(await work(broker, open, until))) return false;
      }
    }
    return true;
  } finally {
    for (const broker of brokers) await broker.shutdown();
  }
}

async function connectMany(broker: Broker, open: () => SimulatedHandle, until: () => boolean): Promise<boolean> {
  for (let first = 0; first < CLIENTS; first += AT_ONCE) {
    if (until()) return false;
    const handles = Array.from({ length: AT_ONCE }, (_, index) => connect(open(), first + index));
    await turn();
    await turn();
    if (broker.connected < AT_ONCE) return false;
    for (const handle of handles) disconnect(handle);
    await turn();
  }
  return true;
}

async function readRetained(broker: Broker, open: () => SimulatedHandle, until: () => boolean): Promise<boolean> {
  const handle = connect(open(), 0);
  for (let index = 0; index < RETAINED; index++) {
    const topic = `${Math.trunc(index / 100)}/warm/up/${index % 100}`;
    const packetId = index + 1;
    handle.receive(bytesOf({ type: "publish", topic, payload: PAYLOAD, qos: 1, packetId, retain: true, dup: false }));
    if (index % AT_ONCE > 0) continue;
    await turn();
    if (until()) return false;
  }
  for (let read = 1; read <= READS; read++) {
    handle.receive(SUBSCRIBE);
    const isRead = (): boolean => (broker.metrics()["publishSent"] ?? 0) >= read * RETAINED;
    for (let turns = 0; turns < PATIENCE && !isRead(); turns++) await turn();
    if (!isRead() || until()) return false;
  }
  disconnect(handle);
  await turn();
  return true;
}

/** Every other client uses MQTT 5 or has a password, so that these ways through the code are compiled too. */
function connect(handle: SimulatedHandle, number: number): SimulatedHandle {
  const protocolVersion = number % 4 === 1 ? 5 : 4;
  const account = number % 4 === 3 ? { username: "warm-up", password: SECRET } : {};
  const clientId = `warm-up-${number}`;
  const packet: Packet = { type: "connect", protocolVersion, clientId, cleanStart: true, keepAlive: 60, ...account };
  handle.receive(bytesOf(packet, protocolVersion));
  return handle;
}

function disconnect(handle: SimulatedHandle): void {
  handle.receive(DISCONNECT);
  handle.receiveEnd();
}

function bytesOf(packet: Packet, version: 4 | 5 = 4): Uint8Array {
  return encode(packet, version).slice();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
