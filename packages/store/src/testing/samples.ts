// Sample facts for tests of stores.
import type { QueueEntry, SessionRecord, StoredMessage, SubscriptionRecord } from "@wrenmq/protocol";
import type { OutboxEntry } from "../outbox.ts";

export function sampleMessage(overrides: Partial<StoredMessage> = {}): StoredMessage {
  return {
    topic: "a/b",
    payload: new Uint8Array([1, 2, 3]),
    qos: 1,
    retain: false,
    properties: undefined,
    expiresAt: Number.POSITIVE_INFINITY,
    publisher: "publisher",
    ...overrides,
  };
}

export function sampleSession(clientId: string, overrides: Partial<SessionRecord> = {}): SessionRecord {
  return {
    clientId,
    username: undefined,
    expiryInterval: 3600,
    disconnectedAt: undefined,
    will: undefined,
    ...overrides,
  };
}

export function sampleEntry(seq: number, overrides: Partial<QueueEntry> = {}): QueueEntry {
  return {
    seq,
    messageId: seq,
    qos: 1,
    retain: false,
    subscriptionIdentifiers: undefined,
    state: "queued",
    packetId: 0,
    ...overrides,
  };
}

export function sampleSubscription(overrides: Partial<SubscriptionRecord> = {}): SubscriptionRecord {
  return {
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: undefined,
    ...overrides,
  };
}

export function sampleOutboxEntry(number: number, overrides: Partial<OutboxEntry> = {}): OutboxEntry {
  return {
    number,
    run: 7,
    messageId: number,
    clientId: "",
    packetId: 0,
    targets: [{ kind: "member", member: 1, plain: true, groups: [], retainedAt: 0, homes: [] }],
    ...overrides,
  };
}
