// The contents of a store as operations that restore it.
import type { StoredMessage } from "@wrenmq/protocol";
import type { Store, StoreOp } from "@wrenmq/store";

/** Stands for a message that is not needed any more. */
const NOTHING: StoredMessage = {
  topic: "-",
  payload: new Uint8Array(0),
  qos: 2,
  retain: false,
  properties: undefined,
  expiresAt: Number.POSITIVE_INFINITY,
  publisher: "",
};

export function* opsOf(store: Store): IterableIterator<StoreOp> {
  const setAt = new Map([...store.retainedStamps()].map((stamp) => [stamp.topic, stamp]));
  for (const message of store.retained()) {
    const stamp = setAt.get(message.topic);
    yield { op: "putRetained", message, ...(stamp === undefined ? {} : { setAt: stamp.setAt }) };
  }
  for (const { topic, setAt: clearedAt, isSet } of setAt.values()) {
    if (!isSet) yield { op: "clearRetained", topic, setAt: clearedAt };
  }
  for (const { entry, message } of store.outbox()) yield { op: "putOutbox", entry, message };
  for (const origin of store.origins()) yield { op: "putOrigin", origin };
  const identity = store.identity();
  if (identity !== undefined) yield { op: "putIdentity", identity };
  for (const { record, subscriptions, inflight, inboundPacketIds } of store.sessions()) {
    const { clientId } = record;
    yield { op: "putSession", record };
    for (const [filter, subscription] of subscriptions) {
      yield { op: "putSubscription", clientId, filter, subscription };
    }
    const queued = store.queue(clientId, 0, Number.MAX_SAFE_INTEGER);
    const entries = [
      ...inflight.map((entry) => ({ entry, message: store.message(clientId, entry.seq) ?? NOTHING })),
      ...queued,
    ].toSorted((a, b) => a.entry.seq - b.entry.seq);
    for (const { entry, message } of entries) {
      if (entry.state !== "awaitPubcomp") yield { op: "enqueue", clientId, entry, message };
      else {
        const { seq, packetId, state } = entry;
        yield { op: "enqueue", clientId, entry: { ...entry, state: "awaitPubrec" }, message };
        yield { op: "advance", clientId, seq, packetId, state };
      }
    }
    for (const packetId of inboundPacketIds) yield { op: "hold", clientId, packetId };
  }
}
