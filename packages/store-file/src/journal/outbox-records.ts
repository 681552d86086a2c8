// The bytes of an entry of the outbox and of an origin. Positional, like records.ts: a change needs a new version of
// the format.
import type { Homes, OriginRecord, OutboxEntry, OutboxTarget } from "@wrenmq/store";
import { DamagedError, type RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";
import { readNumbers, storable, writeNumbers } from "./records.ts";

const MEMBER = 0;
const EVERYWHERE = 1;
const SESSION = 2;
const UNROUTED = 3;
const KIND = 3;
/** For targets of forwarding. */
const PLAIN = 4;
const GROUPS = 8;
const RETAINED = 16;
const HOMES = 32;
/** For sessions; the QoS is in the two bits above, then one bit for the filter. */
const RETAIN = 4;
const IDENTIFIERS = 8;
const QOS_SHIFT = 4;
const QOS = 3;
const SHARED = 64;

export function writeOutboxEntry(to: RecordWriter, entry: OutboxEntry): void {
  const { number, run, messageId, clientId, packetId, targets } = entry;
  to.varint(number);
  to.varint(run);
  to.varint(messageId);
  to.varint(packetId);
  if (packetId !== 0) to.string(clientId);
  to.varint(targets.length);
  for (const target of targets) writeTarget(to, target);
}

export function readOutboxEntry(from: RecordReader): OutboxEntry {
  const number = from.varint();
  const run = from.varint();
  const messageId = from.varint();
  const packetId = from.varint();
  const clientId = packetId === 0 ? "" : from.string();
  const targets: OutboxTarget[] = [];
  for (let left = from.varint(); left > 0; left--) targets.push(readTarget(from));
  return { number, run, messageId, clientId, packetId, targets };
}

function writeTarget(to: RecordWriter, target: OutboxTarget): void {
  if (target.kind === "session") {
    const { clientId, qos, retain, subscriptionIdentifiers, sharedFilter } = target;
    const given = (subscriptionIdentifiers === undefined ? 0 : IDENTIFIERS) | (sharedFilter === undefined ? 0 : SHARED);
    to.u8(SESSION | (retain ? RETAIN : 0) | given | (storable(qos) << QOS_SHIFT));
    to.string(clientId);
    if (subscriptionIdentifiers !== undefined) writeNumbers(to, subscriptionIdentifiers);
    if (sharedFilter !== undefined) to.string(sharedFilter);
    return;
  }
  if (target.kind === "unrouted") {
    to.u8(UNROUTED);
    return;
  }
  const { plain, groups, retainedAt, homes } = target;
  to.u8(
    (target.kind === "member" ? MEMBER : EVERYWHERE) |
      (plain ? PLAIN : 0) |
      (groups.length > 0 ? GROUPS : 0) |
      (retainedAt > 0 ? RETAINED : 0) |
      (homes.length > 0 ? HOMES : 0),
  );
  if (target.kind === "member") to.varint(target.member);
  if (groups.length > 0) {
    to.varint(groups.length);
    for (const group of groups) to.string(group);
  }
  if (retainedAt > 0) to.f64(retainedAt);
  if (homes.length > 0) {
    to.varint(homes.length);
    for (const { home, count } of homes) {
      to.varint(home);
      to.varint(count);
    }
  }
}

function readTarget(from: RecordReader): OutboxTarget {
  const flags = from.u8();
  const kind = flags & KIND;
  if (kind === UNROUTED) return { kind: "unrouted" };
  if (kind === SESSION) {
    const clientId = from.string();
    const subscriptionIdentifiers = flags & IDENTIFIERS ? readNumbers(from) : undefined;
    const sharedFilter = flags & SHARED ? from.string() : undefined;
    const qos = (flags >> QOS_SHIFT) & QOS;
    if (qos !== 1 && qos !== 2) throw new DamagedError(`${qos} is no QoS`);
    return { kind: "session", clientId, qos, retain: (flags & RETAIN) !== 0, subscriptionIdentifiers, sharedFilter };
  }
  if (kind === MEMBER) return { kind: "member", member: from.varint(), ...readForwardedTo(from, flags) };
  return { kind: "everywhere", ...readForwardedTo(from, flags) };
}

function readForwardedTo(from: RecordReader, flags: number) {
  const groups: string[] = [];
  for (let left = flags & GROUPS ? from.varint() : 0; left > 0; left--) groups.push(from.string());
  const retainedAt = flags & RETAINED ? from.f64() : 0;
  const homes: Homes[] = [];
  for (let left = flags & HOMES ? from.varint() : 0; left > 0; left--) {
    homes.push({ home: from.varint(), count: from.varint() });
  }
  return { plain: (flags & PLAIN) !== 0, groups, retainedAt, homes };
}

export function writeOrigin(to: RecordWriter, { store, run, taken }: OriginRecord): void {
  to.string(store);
  to.varint(run);
  to.varint(taken);
}

export function readOrigin(from: RecordReader): OriginRecord {
  return { store: from.string(), run: from.varint(), taken: from.varint() };
}
