// Heap bytes that the broker allocates for a message that it routes. The young generation is made larger than all that is
// allocated, so that the heap grows by exactly that; the figure does not depend on time or machine.
// Usage: node --expose-gc --min-semi-space-size=… --max-semi-space-size=… PROGRAM QOS known|unique [sites|watched]
//   known: each publisher has one topic; unique: no message has a topic that was there before
//   watched: somebody has watched everything that can be watched, and does so no more
import { Session } from "node:inspector";
import v8 from "node:v8";
import { createBroker } from "@wrenmq/broker";
import { encode } from "@wrenmq/codec";
import { Peer } from "@wrenmq/transport";

const PAIRS = 50;
const BATCH = 20;
const ROUNDS = 100;
const qos = Number(process.argv[2]);
const isUnique = process.argv[3] === "unique";
const turn = () => new Promise((resolve) => setImmediate(resolve));

const everybody = { name: "everybody", setup: () => ({ authenticate: () => true }) };
const broker = createBroker({
  listeners: { memory: { type: "tcp", port: 0 } },
  plugins: [everybody],
  sys: { intervalSeconds: 0 },
});
await broker.start();

async function client(clientId) {
  const peer = Peer.connect();
  peer.say(encode({ type: "connect", protocolVersion: 4, clientId, cleanStart: true, keepAlive: 0 }));
  await turn();
  return peer;
}

/** Digits of the number in a topic that is not to come again. */
const DIGITS = 8;
let number = 0;

/** Batches of one publisher's packets; the acknowledgements of the subscriber are written into the same memory again. */
function makeBatch(topic) {
  const packets = [];
  for (let i = 0; i < BATCH; i++) {
    const packet = { type: "publish", topic, payload: new Uint8Array(64).fill(i), qos, retain: false, dup: false };
    packets.push(encode(qos === 0 ? packet : { ...packet, packetId: i + 1 }));
  }
  return { bytes: Buffer.concat(packets), packet: packets[0].length };
}

const pairs = [];
for (let i = 0; i < PAIRS; i++) {
  const [publisher, subscriber] = [await client(`publisher-${i}`), await client(`subscriber-${i}`)];
  const topic = isUnique ? `a/${i}/${"0".repeat(DIGITS)}` : `a/${i}`;
  const filter = isUnique ? `a/${i}/#` : topic;
  const { bytes, packet } = makeBatch(topic);
  const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
  subscriber.say(encode({ type: "subscribe", packetId: 1, subscriptions: [{ topicFilter: filter, ...options }] }));
  await turn();
  const answers = new Uint8Array(4 * BATCH);
  const pair = { publisher, subscriber, bytes, packet, answers, received: 0 };
  subscriber.onBytes = (written) => {
    pair.received += written.length / packet;
    const packetIdAt = 2 + 2 + topic.length;
    for (let at = 0, n = 0; qos > 0 && at < written.length; at += packet, n += 4) {
      answers[n] = 0x40;
      answers[n + 1] = 2;
      answers[n + 2] = written[at + packetIdAt];
      answers[n + 3] = written[at + packetIdAt + 1];
    }
  };
  pairs.push(pair);
}

async function rounds(count) {
  for (let round = 0; round < count; round++) {
    for (const pair of pairs) {
      if (isUnique) rename(pair);
      pair.publisher.say(pair.bytes);
    }
    await turn();
    if (qos === 0) continue;
    for (const { subscriber, answers } of pairs) subscriber.say(answers);
    await turn();
  }
}

const messages = PAIRS * BATCH * ROUNDS;

/** Writes another number into the topic of each packet. */
function rename({ bytes, packet }) {
  for (let end = packet - 64 - (qos > 0 ? 2 : 0); end < bytes.length; end += packet) {
    let rest = ++number;
    for (let at = end - 1; at >= end - DIGITS; at--) {
      bytes[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}

/** Bytes per message by the function that allocates them (and what is inlined into it), most first. */
async function sites() {
  const session = new Session();
  session.connect();
  const post = (method, options) =>
    new Promise((resolve, reject) => {
      session.post(method, options, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  const everything = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
  await post("HeapProfiler.startSampling", { samplingInterval: 1024, ...everything });
  await rounds(ROUNDS);
  const { profile } = await post("HeapProfiler.stopSampling");
  const sums = new Map();
  const add = ({ callFrame, selfSize, children }) => {
    const name = callFrame.functionName || "(anonymous)";
    sums.set(name, (sums.get(name) ?? 0) + selfSize / messages);
    for (const child of children) add(child);
  };
  add(profile.head);
  return [...sums].sort((a, b) => b[1] - a[1]);
}

async function allocation() {
  globalThis.gc();
  const profiler = new v8.GCProfiler();
  profiler.start();
  const before = process.memoryUsage().heapUsed;
  const earlier = pairs.reduce((sum, pair) => sum + pair.received, 0);
  await rounds(ROUNDS);
  const allocated = process.memoryUsage().heapUsed - before;
  const collections = profiler.stop().statistics.length;
  const routed = pairs.reduce((sum, pair) => sum + pair.received, 0) - earlier;
  return { bytesPerMessage: allocated / messages, collections, routed, messages };
}

/**
 * The least of several times: V8 compiles in threads of its own, later on a busy machine, and what is not compiled yet
 * allocates more.
 */
async function leastAllocation() {
  let least = await allocation();
  for (let time = 1; time < 5; time++) {
    const again = await allocation();
    if (again.bytesPerMessage < least.bytesPerMessage) least = again;
  }
  return least;
}

/** @returns ends it */
function watchEverything() {
  const { operations } = broker;
  const nothing = () => {};
  const client = { packet: nothing, authorized: nothing, published: nothing, refused: nothing, disconnected: nothing };
  const ends = [
    operations.watchLatency(nothing),
    operations.watchMessages("a/#", nothing),
    operations.tapMessages({ delivered: nothing, queued: nothing, dropped: nothing }),
    operations.tapClient("publisher-0", client),
    operations.tapClient("subscriber-0", client),
  ];
  operations.watchAnswers(nothing);
  return () => {
    for (const end of ends) end();
    operations.watchAnswers(undefined);
  };
}

if (process.argv.includes("watched")) {
  const end = watchEverything();
  await rounds(20);
  end();
}
// Until the functions are compiled for good.
await rounds(100);
process.stdout.write(JSON.stringify(process.argv.includes("sites") ? await sites() : await leastAllocation()));
process.exit();
