// What the broker keeps of topics: bytes of heap and external memory for each that comes again and again, and for all
// those together of which none comes twice.
// Usage: node --expose-gc PROGRAM
import { createBroker } from "@wrenmq/broker";
import { encode } from "@wrenmq/codec";
import { Peer } from "@wrenmq/transport";

const KNOWN = 3_000;
const ROUNDS = 5;
const UNIQUE = 300_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

const everybody = { name: "everybody", setup: () => ({ authenticate: () => true }) };
const broker = createBroker({
  listeners: { memory: { type: "tcp", port: 0 } },
  plugins: [everybody],
  sys: { intervalSeconds: 0 },
});
await broker.start();

const peer = Peer.connect();
peer.say(encode({ type: "connect", protocolVersion: 4, clientId: "c", cleanStart: true, keepAlive: 0 }));
await turn();
const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 };
peer.say(encode({ type: "subscribe", packetId: 1, subscriptions: [{ topicFilter: "site/#", ...options }] }));
await turn();

const payload = new Uint8Array(16);
async function publish(topic) {
  peer.say(encode({ type: "publish", topic, payload, qos: 0, retain: false, dup: false }));
  await turn();
}

async function used() {
  await turn();
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

// Pools have grown then, and everything is compiled.
for (let n = 0; n < 20_000; n++) await publish(`site/warm/${n}`);
const before = await used();
for (let n = 0; n < UNIQUE; n++) await publish(`site/unique/device/${n}/temperature`);
const afterUnique = await used();
for (let round = 0; round < ROUNDS; round++) {
  for (let n = 0; n < KNOWN; n++) await publish(`site/known/device/${String(n).padStart(6, "0")}/temperature`);
}
const afterKnown = await used();
const bytes = { unique: afterUnique - before, perKnown: (afterKnown - afterUnique) / KNOWN };
process.stdout.write(JSON.stringify(bytes));
process.exit();
