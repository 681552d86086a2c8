// An endless history in which batch n is always the same, so that whoever knows n knows what must be there.
import { MemoryStore, type Store, type StoreOp } from "@wrenmq/store";
import {
  contentsOf,
  type StoreContents,
  sampleEntry,
  sampleMessage,
  sampleSession,
  sampleSubscription,
} from "@wrenmq/store/testing";

const CLIENTS = ["a", "b", "c", "d"];
/** Entries stay this many batches. */
const STAY = 9;

export function batchAt(n: number): StoreOp[] {
  const ops: StoreOp[] = [
    { op: "putRetained", message: sampleMessage({ topic: "progress", payload: Buffer.from(String(n)) }) },
  ];
  if (n === 1) for (const clientId of CLIENTS) ops.push({ op: "putSession", record: sampleSession(clientId) });
  const message = sampleMessage({ topic: `t/${n % 5}`, payload: new Uint8Array((n * 37) % 700).fill(n % 256) });
  CLIENTS.forEach((clientId, c) => {
    if ((n + c) % 3 === 0) return;
    ops.push({ op: "enqueue", clientId, entry: sampleEntry(n, { messageId: n, qos: 2 }), message });
    ops.push({ op: "advance", clientId, seq: Math.max(1, n - 3), packetId: n % 65_536, state: "awaitPubrec" });
    ops.push({ op: "advance", clientId, seq: Math.max(1, n - 6), packetId: n % 65_536, state: "awaitPubcomp" });
    // Some stay for long.
    if (n % 7 !== c) ops.push({ op: "settle", clientId, seq: Math.max(1, n - STAY) });
  });
  const clientId = CLIENTS[n % CLIENTS.length] ?? "a";
  if (n % 2 === 0) ops.push({ op: "hold", clientId, packetId: 1 + (n % 50) });
  else ops.push({ op: "release", clientId, packetId: 1 + ((n * 3) % 50) });
  if (n % 11 === 0) ops.push({ op: "putRetained", message: sampleMessage({ topic: `r/${n % 17}` }) });
  if (n % 13 === 0) ops.push({ op: "deleteRetained", topic: `r/${n % 17}` });
  if (n % 23 === 0) {
    const subscription = sampleSubscription({ subscriptionIdentifier: n });
    ops.push({ op: "putSubscription", clientId, filter: `f/${n % 9}`, subscription });
  }
  if (n % 31 === 0) ops.push({ op: "putSession", record: sampleSession(clientId, { disconnectedAt: n }) });
  if (n % 37 === 0) ops.push({ op: "deleteSession", clientId }, { op: "putSession", record: sampleSession(clientId) });
  return ops;
}

/** The number of the last batch that a store has; 0: it is empty. */
export function progressOf(store: Store): number {
  for (const { topic, payload } of store.retained()) {
    if (topic === "progress") return Number(Buffer.from(payload).toString());
  }
  return 0;
}

/** What a store has after that many batches. */
export function contentsAfter(count: number): StoreContents {
  const model = new MemoryStore();
  model.open();
  for (let n = 1; n <= count; n++) model.apply(batchAt(n));
  return contentsOf(model);
}
