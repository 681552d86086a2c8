// Converts sessions between memory and the store: makes the record of one, and restores one from its record.
import type { Will } from "@wrenmq/codec";
import {
  Delivery,
  HeldIdentifiers,
  Message,
  type Millis,
  NEVER,
  OutboundState,
  type Session,
  SessionQueue,
  type SessionRecord,
  type SessionSnapshot,
  type StoredMessage,
  type StoredWill,
  type TopicTable,
} from "@wrenmq/protocol";
import type { Store } from "@wrenmq/store";
import type { FactLog } from "../persistence/fact-log.ts";
import type { SessionEntry } from "./session-entry.ts";

const STATES = {
  queued: undefined,
  awaitPuback: OutboundState.AwaitPuback,
  awaitPubrec: OutboundState.AwaitPubrec,
  awaitPubcomp: OutboundState.AwaitPubcomp,
} as const;

/** Does the session have anything that a restart must not lose? */
export function isWorthStoring(entry: SessionEntry): boolean {
  const { session } = entry;
  // A stored session stays so until its end, whatever it was resumed with: its queue may be in the store only.
  return session.expiryInterval > 0 || session.facts !== undefined || willOf(entry) !== undefined;
}

export function recordOf(entry: SessionEntry): SessionRecord {
  const { session } = entry;
  const will = willOf(entry);
  return {
    clientId: session.clientId,
    username: session.username,
    expiryInterval: session.expiryInterval,
    disconnectedAt: session.disconnectedAt,
    will: will && storedWill(session.clientId, will),
  };
}

function willOf(entry: SessionEntry): Will | undefined {
  return entry.session.will ?? entry.pendingWill;
}

/** A will's expiry begins when it is published: the interval stays among its properties until then. */
function storedWill(publisher: string, will: Will): StoredWill {
  const { willDelayInterval, ...properties } = will.properties ?? {};
  const { topic, payload, qos, retain } = will;
  return {
    message: { topic, payload, qos, retain, properties, expiresAt: NEVER, publisher },
    delay: willDelayInterval ?? 0,
  };
}

export function willFrom({ message, delay }: StoredWill): Will {
  const { topic, payload, qos, retain, properties } = message;
  const { subscriptionIdentifiers: _none, topicAlias: _alias, ...rest } = properties ?? {};
  return { topic, payload, qos, retain, properties: { ...rest, willDelayInterval: delay } };
}

/** From now on the session's facts are recorded, and its queue may be longer than its part in memory. */
export function makeDurable(session: Session, store: Store, factLog: FactLog, topics: TopicTable): void {
  session.facts = factLog;
  session.loadPage = (after, limit) => {
    factLog.commit();
    const page = store.queue(session.clientId, after, limit);
    // What the store has not accepted yet comes after what it has, and cannot be read from it.
    if (page.length === 0 && factLog.failing !== undefined) return undefined;
    return page.flatMap(({ entry, message }) => {
      const restored = restoreMessage(topics, message, entry.messageId);
      if (restored === undefined) return [];
      return [new Delivery(restored, entry.qos, entry.retain, entry.subscriptionIdentifiers, entry.seq, null)];
    });
  };
}

/** Fills a session with its state in the store. */
export function restoreSession(
  session: Session,
  snapshot: SessionSnapshot,
  store: Store,
  topics: TopicTable,
  now: Millis,
): void {
  const { record } = snapshot;
  session.username = record.username;
  session.expiryInterval = record.expiryInterval;
  // Connected when the broker stopped: the end of the connection is unknown, so the expiry begins now.
  session.disconnectedAt = record.disconnectedAt ?? now;
  session.nextSeq = snapshot.lastSeq + 1;
  for (const packetId of snapshot.inboundPacketIds) {
    session.inbound ??= new HeldIdentifiers();
    session.inbound.add(packetId);
  }
  for (const entry of snapshot.inflight) {
    const state = STATES[entry.state];
    if (state === undefined) continue;
    const stored = store.message(session.clientId, entry.seq);
    const message = stored === undefined ? emptyMessage(topics) : restoreMessage(topics, stored, entry.messageId);
    if (message === undefined) continue;
    const delivery = new Delivery(message, entry.qos, entry.retain, entry.subscriptionIdentifiers, entry.seq, null);
    session.window.restore(entry.packetId, state, delivery);
  }
  if (snapshot.queued > 0) {
    session.queue = new SessionQueue(session.loadPage);
    session.queue.restore(snapshot.queued, 1);
  }
}

export function restoreMessage(topics: TopicTable, stored: StoredMessage, storeId: number): Message | undefined {
  const target = topics.restore(stored.topic);
  if (target === undefined) return undefined;
  const message = Message.of(target, stored);
  message.storeId = storeId;
  return message;
}

/** Stands for a message of which only the identifier is needed. */
function emptyMessage(topics: TopicTable): Message | undefined {
  const payload = new Uint8Array(0);
  const target = topics.restore("-");
  return (
    target &&
    Message.of(target, { payload, qos: 2, retain: false, properties: undefined, expiresAt: NEVER, publisher: "" })
  );
}
