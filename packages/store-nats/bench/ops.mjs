// What a durable message costs, how many go into one message of the stream, and how long a stream takes to be read.
// From the root of the repository, built, with nats-server of Debian (or NATS_SERVER):
//   node packages/store-nats/bench/ops.mjs [servers: 1 or 3] [messages] [rounds]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { FileStore } from "@wrenmq/store-file";
import { ReplicatedStore } from "../dist/index.js";
import { startServers } from "./servers.mjs";

const SERVERS = Number(process.argv[2] ?? 1);
const MESSAGES = Number(process.argv[3] ?? 200_000);
const ROUNDS = Number(process.argv[4] ?? 2);
const CLIENTS = 160;
const CLIENT_IDS = Array.from({ length: CLIENTS }, (_, client) => `client-${client}`);
/** Turns of the event loop whose facts may wait for the stream: more publishers wait for their acknowledgement. */
const TURNS = 16;
const payload = new Uint8Array(100).fill(1);

const message = (publisher) => ({
  topic: "bench/topic/1",
  payload,
  qos: 1,
  retain: false,
  properties: undefined,
  expiresAt: Number.POSITIVE_INFINITY,
  publisher,
});
const entry = (seq, messageId) => ({
  seq,
  messageId,
  qos: 1,
  retain: false,
  subscriptionIdentifiers: undefined,
  state: "queued",
  packetId: 0,
});
const session = (clientId) => ({
  op: "putSession",
  record: { clientId, username: undefined, expiryInterval: 3600, disconnectedAt: undefined, will: undefined },
});
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const place = () => mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "wrenmq-bench-"));

/**
 * Enqueue, advance and settle each message in turns of their own, as with a client that answers a turn later. Clients
 * are divided among the stores.
 * @returns how long each batch has waited, in order
 */
async function deliver(stores, perTurn, total) {
  const seqs = new Array(CLIENTS).fill(0);
  const waits = [];
  const batches = stores.map(() => []);
  let enqueued = [];
  let advanced = [];
  let underWay = 0;
  let wake = () => {};
  const until = async (most) => {
    while (underWay > most) {
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  };
  const commit = (store, batch) => {
    const since = performance.now();
    const durable = store.apply(batch);
    if (durable === undefined) return;
    underWay++;
    durable.then(() => {
      waits.push(performance.now() - since);
      underWay--;
      wake();
    });
  };
  for (let i = 0; i < total || advanced.length > 0; ) {
    for (const { client, seq } of advanced) {
      batches[client % stores.length].push({ op: "settle", clientId: CLIENT_IDS[client], seq });
    }
    advanced = enqueued;
    for (const { client, seq } of advanced) {
      const op = { op: "advance", clientId: CLIENT_IDS[client], seq, packetId: seq & 0xffff, state: "awaitPuback" };
      batches[client % stores.length].push(op);
    }
    enqueued = [];
    for (let n = 0; n < perTurn && i < total; n++, i++) {
      const client = i % CLIENTS;
      const seq = ++seqs[client];
      const clientId = CLIENT_IDS[client];
      batches[client % stores.length].push({
        op: "enqueue",
        clientId,
        entry: entry(seq, i + 1),
        message: message(clientId),
      });
      enqueued.push({ client, seq });
    }
    for (const [index, store] of stores.entries()) {
      if (batches[index].length > 0) commit(store, batches[index]);
      batches[index] = [];
    }
    await nextTurn();
    await until(TURNS * stores.length - 1);
  }
  await until(0);
  return waits.sort((one, other) => one - other);
}

const servers = await startServers(SERVERS);
const nats = await connect({ servers: servers.urls, waitOnFirstConnect: true, maxReconnectAttempts: -1 });
let streams = 0;

function replicated(stream = `WREN_bench_J${++streams}`) {
  const directory = place();
  const onDeposed = () => {};
  const store = new ReplicatedStore({
    directory,
    stream,
    connection: nats,
    replicas: SERVERS,
    owner: "bench",
    onDeposed,
  });
  return { store, directory, stream };
}

const column = (value, digits = 2, width = 7) => value.toFixed(digits).padStart(width);

async function measure(name, stores, perTurn, total) {
  for (const store of stores) {
    await store.open();
    await store.apply(CLIENT_IDS.map(session));
  }
  const sent = () => stores.reduce((sum, store) => sum + (store.replication?.().sequence ?? 0), 0);
  const before = sent();
  const cpu = process.cpuUsage();
  const serverCpu = servers.cpu();
  const started = performance.now();
  const waits = await deliver(stores, perTurn, total);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const others = servers.cpu() - serverCpu;
  const inOne = sent() > before ? `${column(total / (sent() - before), 0, 5)} in one of the stream` : "";
  console.log(
    `${name.padEnd(22)} ${String(perTurn).padStart(5)} a turn ${column(total / seconds / 1000, 1)} k/s  µs a message: ` +
      `${column((user + system) / total)} broker ${column(others / total)} NATS  ` +
      `wait ${column(waits[waits.length >> 1] ?? 0, 1, 5)} / ${column(waits[Math.floor(waits.length * 0.99)] ?? 0, 1, 5)} ms ${inOne}`,
  );
  for (const store of stores) await store.close();
}

for (let round = 0; round < ROUNDS; round++) {
  for (const perTurn of [1, 10, 100, 1000]) {
    const total = Math.min(MESSAGES, perTurn * 4000);
    const path = place();
    await measure("file, batch", [new FileStore({ path, durability: "batch" })], perTurn, total);
    rmSync(path, { recursive: true });
    for (const count of [1, 16]) {
      const some = Array.from({ length: count }, () => replicated());
      const name = `${SERVERS} server(s), ${count} stream(s)`;
      await measure(
        name,
        some.map(({ store }) => store),
        perTurn,
        total,
      );
      for (const { directory } of some) rmSync(directory, { recursive: true });
    }
  }
}

// How long it takes to take over: queued messages, in messages of the stream of about these sizes.
for (const [perBatch, bytes] of [
  [1, 100],
  [10, 100],
  [100, 1000],
  [400, 1000],
]) {
  const { store, directory, stream } = replicated();
  await store.open();
  await store.apply([session("c")]);
  const body = { ...message("p"), payload: new Uint8Array(bytes).fill(7) };
  const count = Math.min(MESSAGES, perBatch * 40_000);
  for (let id = 0; id < count; ) {
    const ops = [];
    for (let n = 0; n < perBatch && id < count; n++) {
      ops.push({ op: "enqueue", clientId: "c", entry: entry(++id, id), message: body });
    }
    const durable = store.apply(ops);
    // Each batch is a message of the stream.
    await durable;
  }
  const size = store.stats().bytes;
  const heir = replicated(stream);
  const serverCpu = servers.cpu();
  const cpu = process.cpuUsage();
  const started = performance.now();
  await heir.store.open();
  const milliseconds = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `taking over ${column(size / 1e6, 1)} MB in ${String(Math.ceil(count / perBatch)).padStart(6)} messages of the stream: ` +
      `${column(milliseconds, 0, 6)} ms, ${column(size / 1e3 / milliseconds, 1)} MB/s; CPU ${column((user + system) / 1000, 0)} ms, ` +
      `NATS ${column((servers.cpu() - serverCpu) / 1000, 0)} ms`,
  );
  if (heir.store.stats().messages !== count) throw new Error("messages are missing");
  await heir.store.close();
  await store.close();
  for (const folder of [directory, heir.directory]) rmSync(folder, { recursive: true });
}

await nats.close();
await servers.stop();
