// What an operation costs, and how long a full store takes to open. From the root of the repository, built:
//   node packages/store-file/bench/ops.mjs [messages]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "@wrenmq/store";
import { FileStore } from "../dist/index.js";

const MESSAGES = Number(process.argv[2] ?? 300_000);
const CLIENTS = 100;
const payload = new Uint8Array(100).fill(1);

function message(publisher) {
  return {
    topic: "bench/topic/1",
    payload,
    qos: 1,
    retain: false,
    properties: undefined,
    expiresAt: Infinity,
    publisher,
  };
}

function fill(store) {
  const ops = [];
  for (let c = 0; c < CLIENTS; c++) {
    ops.push({
      op: "putSession",
      record: {
        clientId: `client-${c}`,
        username: undefined,
        expiryInterval: 3600,
        disconnectedAt: undefined,
        will: undefined,
      },
    });
  }
  return store.apply(ops);
}

/** Enqueue, advance and settle each message in batches of their own, as with a client that answers a tick later. */
async function deliver(store, perBatch) {
  let id = 0;
  const seqs = new Array(CLIENTS).fill(0);
  let enqueued = [];
  let advanced = [];
  for (let i = 0; i < MESSAGES || advanced.length > 0; ) {
    const batch = [];
    const fresh = [];
    for (const { clientId, seq } of advanced) batch.push({ op: "settle", clientId, seq });
    advanced = enqueued;
    for (const { clientId, seq } of advanced) {
      batch.push({ op: "advance", clientId, seq, packetId: seq & 0xffff, state: "awaitPuback" });
    }
    for (let n = 0; n < perBatch / 3 && i < MESSAGES; n++, i++) {
      const c = i % CLIENTS;
      const clientId = `client-${c}`;
      const seq = ++seqs[c];
      const entry = {
        seq,
        messageId: ++id,
        qos: 1,
        retain: false,
        subscriptionIdentifiers: undefined,
        state: "queued",
        packetId: 0,
      };
      batch.push({ op: "enqueue", clientId, entry, message: message(clientId) });
      fresh.push({ clientId, seq });
    }
    enqueued = fresh;
    const durable = store.apply(batch);
    if (durable !== undefined) await durable;
  }
}

async function measure(name, store, perBatch, path) {
  await store.open();
  await fill(store);
  const started = performance.now();
  const before = process.cpuUsage();
  await deliver(store, perBatch);
  const cpu = process.cpuUsage(before);
  const wall = performance.now() - started;
  const perMessage = (n) => (n / MESSAGES).toFixed(2).padStart(6);
  console.log(
    `${name.padEnd(28)} ${String(perBatch).padStart(5)} ops/batch  ${perMessage(wall * 1000)} µs/message  ` +
      `${perMessage(cpu.user + cpu.system)} µs CPU  ${(store.stats().bytes / 1e6).toFixed(0)} MB`,
  );
  await store.close();
  if (path) rmSync(path, { recursive: true });
}

const place = () => mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "wrenmq-bench-"));

for (let round = 0; round < 2; round++) {
  for (const perBatch of [50, 500, 5000]) {
    await measure("memory", new MemoryStore(), perBatch);
    for (const durability of ["batch", "fsync"]) {
      const path = place();
      await measure(`file, ${durability}`, new FileStore({ path, durability }), perBatch, path);
    }
  }
}

// A million messages of 1,000 bytes for offline sessions.
const path = place();
const store = new FileStore({ path, durability: "batch" });
store.open();
fill(store);
const body = new Uint8Array(1000).fill(7);
for (let id = 0; id < 1_000_000; ) {
  const ops = [];
  for (let n = 0; n < 1000; n++) {
    id++;
    const entry = {
      seq: id,
      messageId: id,
      qos: 1,
      retain: false,
      subscriptionIdentifiers: undefined,
      state: "queued",
      packetId: 0,
    };
    ops.push({ op: "enqueue", clientId: `client-${id % CLIENTS}`, entry, message: { ...message("p"), payload: body } });
  }
  store.apply(ops);
}
await store.close();
globalThis.gc?.();
const memory = process.memoryUsage();
const started = performance.now();
store.open();
const opened = performance.now() - started;
globalThis.gc?.();
const after = process.memoryUsage();
const grown = after.heapUsed + after.arrayBuffers - memory.heapUsed - memory.arrayBuffers;
let sum = 0;
const reading = performance.now();
for (let c = 0; c < CLIENTS; c++) {
  for (let last = 0; ; ) {
    const page = store.queue(`client-${c}`, last, 1000);
    if (page.length === 0) break;
    last = page.at(-1).entry.seq;
    sum += page.length;
  }
}
console.log(
  `open 1,000,000 messages, ${(store.stats().bytes / 1e9).toFixed(2)} GB: ${opened.toFixed(0)} ms, ` +
    `${(grown / 1e6).toFixed(0)} MB of RAM; read ${sum} back: ${(performance.now() - reading).toFixed(0)} ms`,
);
await store.close();
rmSync(path, { recursive: true });
