// What a store holds, as the operations that make it anew.
import type { StoredMessage } from "@wrenmq/protocol";
import type { Store, StoreOp } from "@wrenmq/store";

/** Stands for a message that is needed no more. */
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
  for (const message of store.retained()) yield { op: "putRetained", message };
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
