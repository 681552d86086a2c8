// The store in memory: plain maps, nothing is copied or encoded. Other stores are compared with it, so it follows the
// contract exactly and does nothing else.
import type { QueueEntry, SessionRecord, SessionSnapshot, StoredMessage, SubscriptionRecord } from "@wrenmq/protocol";
import { EntryList } from "./entry-list.ts";
import { type OriginRecord, type OutboxEntry, type OutboxMessage, originKey, type RetainedStamp } from "./outbox.ts";
import { type QueuedMessage, type Store, StoreError, type StoreOp, type StoreStats } from "./store.ts";

/** A message and the number of entries that refer to it. */
interface Kept {
  readonly message: StoredMessage;
  needed: number;
}

interface Item {
  entry: QueueEntry;
  /** Undefined when the message is not needed any more. */
  kept: Kept | undefined;
}

/** An operation on a session. */
type SessionOp = Extract<StoreOp, { readonly clientId: string }>;

interface MemorySession {
  record: SessionRecord;
  readonly subscriptions: Map<string, SubscriptionRecord>;
  readonly entries: EntryList<Item>;
  readonly inbound: Set<number>;
}

/** Stores everything in memory. The contents survive `close` and `open`, but not the process. */
export class MemoryStore implements Store {
  readonly #sessions = new Map<string, MemorySession>();
  readonly #messages = new Map<number, Kept>();
  readonly #retained = new Map<string, StoredMessage>();
  readonly #stamps = new Map<string, RetainedStamp>();
  readonly #outbox = new Map<number, { readonly entry: OutboxEntry; readonly kept: Kept }>();
  readonly #origins = new Map<string, OriginRecord>();
  #identity: string | undefined;
  #open = false;
  #lastMessageId = 0;

  open(): void {
    this.#open = true;
  }

  close(): void {
    this.#open = false;
  }

  *sessions(): IterableIterator<SessionSnapshot> {
    for (const session of this.#sessions.values()) yield snapshot(session);
  }

  retained(): Iterable<StoredMessage> {
    return this.#retained.values();
  }

  retainedStamps(): Iterable<RetainedStamp> {
    return this.#stamps.values();
  }

  queue(clientId: string, after: number, limit: number): readonly QueuedMessage[] {
    const page: QueuedMessage[] = [];
    const session = this.#sessions.get(clientId);
    if (session === undefined || limit <= 0) return page;
    for (const { entry, kept } of session.entries.above(after)) {
      if (entry.state !== "queued" || kept === undefined) continue;
      page.push({ entry, message: kept.message });
      if (page.length >= limit) break;
    }
    return page;
  }

  message(clientId: string, seq: number): StoredMessage | undefined {
    return this.#sessions.get(clientId)?.entries.get(seq)?.kept?.message;
  }

  *outbox(): IterableIterator<OutboxMessage> {
    const numbers = [...this.#outbox.keys()].sort((a, b) => a - b);
    for (const number of numbers) {
      const found = this.#outbox.get(number);
      if (found !== undefined) yield { entry: found.entry, message: found.kept.message };
    }
  }

  origins(): Iterable<OriginRecord> {
    return this.#origins.values();
  }

  identity(): string | undefined {
    return this.#identity;
  }

  /** @throws StoreError ERR_STORE_CLOSED */
  apply(batch: readonly StoreOp[]): undefined {
    if (!this.#open) throw new StoreError("ERR_STORE_CLOSED", "the memory store is not open");
    for (const op of batch) this.#applyOne(op);
    return undefined;
  }

  stats(): StoreStats {
    return {
      sessions: this.#sessions.size,
      messages: this.#messages.size,
      retained: this.#retained.size,
      outbox: this.#outbox.size,
      bytes: 0,
      lastMessageId: this.#lastMessageId,
    };
  }

  #applyOne(op: StoreOp): void {
    switch (op.op) {
      case "putSession":
        this.#putSession(op.record);
        return;
      case "deleteSession":
        this.#deleteSession(op.clientId);
        return;
      case "putRetained":
        this.#retained.set(op.message.topic, op.message);
        this.#stamp(op.message.topic, op.setAt, true);
        return;
      case "clearRetained":
        this.#retained.delete(op.topic);
        this.#stamp(op.topic, op.setAt, false);
        return;
      case "deleteRetained":
        this.#retained.delete(op.topic);
        this.#stamps.delete(op.topic);
        return;
      case "putOutbox":
        this.#putOutbox(op.entry, op.message);
        return;
      case "settleOutbox":
        this.#settleOutbox(op.number);
        return;
      case "putOrigin":
        this.#origins.set(originKey(op.origin), op.origin);
        return;
      case "deleteOrigin":
        this.#origins.delete(originKey(op));
        return;
      case "putIdentity":
        this.#identity = op.identity;
        return;
      default: {
        // Facts of a session that does not exist are ignored: a delivery may end in the same turn as its session.
        const session = this.#sessions.get(op.clientId);
        if (session !== undefined) this.#applyToSession(session, op);
      }
    }
  }

  #applyToSession(session: MemorySession, op: Exclude<SessionOp, { op: "deleteSession" }>): void {
    switch (op.op) {
      case "putSubscription":
        session.subscriptions.set(op.filter, op.subscription);
        return;
      case "deleteSubscription":
        session.subscriptions.delete(op.filter);
        return;
      case "enqueue":
        this.#enqueue(session, op.entry, op.message);
        return;
      case "advance":
        this.#advance(session, op.seq, op.packetId, op.state);
        return;
      case "settle":
        this.#drop(session.entries.delete(op.seq));
        return;
      case "hold":
        session.inbound.add(op.packetId);
        return;
      case "release":
        session.inbound.delete(op.packetId);
        return;
    }
  }

  #stamp(topic: string, setAt: number | undefined, isSet: boolean): void {
    if (setAt === undefined) this.#stamps.delete(topic);
    else this.#stamps.set(topic, { topic, setAt, isSet });
  }

  #putSession(record: SessionRecord): void {
    const known = this.#sessions.get(record.clientId);
    if (known !== undefined) known.record = record;
    else {
      this.#sessions.set(record.clientId, {
        record,
        subscriptions: new Map(),
        entries: new EntryList(),
        inbound: new Set(),
      });
    }
  }

  #deleteSession(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return;
    this.#sessions.delete(clientId);
    for (const item of session.entries.above(-1)) this.#drop(item);
  }

  #enqueue(session: MemorySession, entry: QueueEntry, message: StoredMessage): void {
    const replaced = session.entries.get(entry.seq);
    let kept: Kept | undefined;
    this.#lastMessageId = Math.max(this.#lastMessageId, entry.messageId);
    if (entry.state !== "awaitPubcomp") kept = this.#keep(entry.messageId, message);
    session.entries.set(entry.seq, { entry, kept });
    this.#drop(replaced);
  }

  #putOutbox(entry: OutboxEntry, message: StoredMessage): void {
    this.#lastMessageId = Math.max(this.#lastMessageId, entry.messageId);
    const kept = this.#keep(entry.messageId, message);
    this.#settleOutbox(entry.number);
    this.#outbox.set(entry.number, { entry, kept });
  }

  #settleOutbox(number: number): void {
    const found = this.#outbox.get(number);
    if (found === undefined) return;
    this.#outbox.delete(number);
    this.#release(found.entry.messageId, found.kept);
  }

  /** One more reference to the message. */
  #keep(messageId: number, message: StoredMessage): Kept {
    const kept = this.#messages.get(messageId) ?? { message, needed: 0 };
    kept.needed++;
    this.#messages.set(messageId, kept);
    return kept;
  }

  #advance(session: MemorySession, seq: number, packetId: number, state: QueueEntry["state"]): void {
    const item = session.entries.get(seq);
    // The state awaitPubcomp cannot be left: the message is gone.
    if (item === undefined || (item.entry.state === "awaitPubcomp" && state !== "awaitPubcomp")) return;
    if (state === "awaitPubcomp") {
      this.#drop(item);
      item.kept = undefined;
    }
    item.entry = { ...item.entry, packetId, state };
  }

  /** One reference less to the item's message. */
  #drop(item: Item | undefined): void {
    if (item?.kept !== undefined) this.#release(item.entry.messageId, item.kept);
  }

  #release(messageId: number, kept: Kept): void {
    kept.needed--;
    if (kept.needed === 0) this.#messages.delete(messageId);
  }
}

function snapshot(session: MemorySession): SessionSnapshot {
  const inflight: QueueEntry[] = [];
  let firstSeq = 0;
  let lastSeq = 0;
  let queued = 0;
  for (const { entry } of session.entries.above(-1)) {
    if (firstSeq === 0) firstSeq = entry.seq;
    lastSeq = entry.seq;
    if (entry.state === "queued") queued++;
    else inflight.push(entry);
  }
  return {
    record: session.record,
    subscriptions: new Map(session.subscriptions),
    inflight,
    queued,
    firstSeq,
    lastSeq,
    inboundPacketIds: [...session.inbound],
  };
}
