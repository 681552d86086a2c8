// Facts as lines of JSON: the output of `dump`, and the format of `export` and `import`. Bytes are base64; infinite
// values (an expiry) are null.
import type { QueueEntry, SessionRecord, StoredMessage, SubscriptionRecord } from "@wrenmq/protocol";
import { type OriginRecord, type OutboxEntry, StoreError } from "@wrenmq/store";
import type { Problem } from "../recovery/recovery.ts";

type Properties = NonNullable<StoredMessage["properties"]>;

/** A message in JSON. */
export interface MessageJson extends Omit<StoredMessage, "payload" | "properties" | "expiresAt"> {
  readonly payload: string;
  readonly properties?: Omit<Properties, "correlationData"> & { readonly correlationData?: string };
  readonly expiresAt: number | null;
}

export type StoreLine =
  /** Format 1 has no facts of brokers that act as one. */
  | { readonly type: "store"; readonly format: 1 | 2 }
  | {
      readonly type: "session";
      readonly clientId: string;
      readonly username?: string;
      readonly expiryInterval: number | null;
      readonly disconnectedAt?: number;
      readonly will?: { readonly delay: number; readonly message: MessageJson };
    }
  | {
      readonly type: "subscription";
      readonly clientId: string;
      readonly filter: string;
      readonly subscription: SubscriptionRecord;
    }
  | { readonly type: "inbound"; readonly clientId: string; readonly packetId: number }
  /** Precedes the first of the entries that refer to it; `entries` is their number. */
  | { readonly type: "message"; readonly messageId: number; readonly entries: number; readonly message: MessageJson }
  | { readonly type: "entry"; readonly clientId: string; readonly entry: QueueEntry }
  | { readonly type: "retained"; readonly message: MessageJson; readonly setAt?: number }
  | { readonly type: "cleared"; readonly topic: string; readonly setAt: number }
  | { readonly type: "identity"; readonly identity: string }
  | { readonly type: "origin"; readonly origin: OriginRecord }
  /** Refers to a message, as the entry of a queue does. */
  | { readonly type: "outbox"; readonly entry: OutboxEntry }
  /**
   * The last line: without it the export was cut short. With `problems` the store is damaged, and something may be
   * missing.
   */
  | { readonly type: "end"; readonly lines: number; readonly problems?: readonly Problem[] };

export function messageToJson(message: StoredMessage): MessageJson {
  const { payload, properties, expiresAt, ...rest } = message;
  const json = {
    ...rest,
    payload: toBase64(payload),
    expiresAt: expiresAt === Number.POSITIVE_INFINITY ? null : expiresAt,
  };
  if (properties === undefined) return json;
  const { correlationData, ...others } = properties;
  return {
    ...json,
    properties: correlationData === undefined ? others : { ...others, correlationData: toBase64(correlationData) },
  };
}

export function messageFromJson({ payload, properties, expiresAt, ...rest }: MessageJson): StoredMessage {
  const correlationData = properties?.correlationData;
  return {
    ...rest,
    payload: fromBase64(payload),
    expiresAt: expiresAt ?? Number.POSITIVE_INFINITY,
    properties:
      properties === undefined
        ? undefined
        : {
            ...(properties as Omit<Properties, "correlationData">),
            ...(correlationData === undefined ? {} : { correlationData: fromBase64(correlationData) }),
          },
  };
}

export function sessionToLine(record: SessionRecord): StoreLine {
  const { clientId, username, expiryInterval, disconnectedAt, will } = record;
  return {
    type: "session",
    clientId,
    ...(username === undefined ? {} : { username }),
    expiryInterval: expiryInterval === Number.POSITIVE_INFINITY ? null : expiryInterval,
    ...(disconnectedAt === undefined ? {} : { disconnectedAt }),
    ...(will === undefined ? {} : { will: { delay: will.delay, message: messageToJson(will.message) } }),
  };
}

export function sessionFromLine(line: Extract<StoreLine, { type: "session" }>): SessionRecord {
  return {
    clientId: line.clientId,
    username: line.username,
    expiryInterval: line.expiryInterval ?? Number.POSITIVE_INFINITY,
    disconnectedAt: line.disconnectedAt,
    will: line.will === undefined ? undefined : { delay: line.will.delay, message: messageFromJson(line.will.message) },
  };
}

/** Adds the keys that JSON omits because they are undefined. */
export function subscriptionFromJson(
  subscription: Partial<SubscriptionRecord> &
    Pick<SubscriptionRecord, "qos" | "noLocal" | "retainAsPublished" | "retainHandling">,
): SubscriptionRecord {
  return { ...subscription, subscriptionIdentifier: subscription.subscriptionIdentifier };
}

export function entryFromJson(entry: QueueEntry): QueueEntry {
  return { ...entry, subscriptionIdentifiers: entry.subscriptionIdentifiers };
}

/** Adds the keys that JSON omits because they are undefined. */
export function outboxFromJson(entry: OutboxEntry): OutboxEntry {
  const targets = entry.targets.map((target) =>
    target.kind === "session" ? { ...target, subscriptionIdentifiers: target.subscriptionIdentifiers } : target,
  );
  return { ...entry, targets };
}

const TYPES: ReadonlySet<string> = new Set<StoreLine["type"]>([
  "store",
  "session",
  "subscription",
  "inbound",
  "message",
  "entry",
  "retained",
  "cleared",
  "identity",
  "origin",
  "outbox",
  "end",
]);

/** @throws StoreError ERR_STORE_FORMAT */
export function parseLine(text: string, number: number): StoreLine {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch (error) {
    throw new StoreError("ERR_STORE_FORMAT", `line ${number} of the export is not JSON`, { cause: error });
  }
  const type = typeof line === "object" && line !== null && "type" in line ? line.type : undefined;
  if (typeof type !== "string" || !TYPES.has(type)) {
    throw new StoreError("ERR_STORE_FORMAT", `line ${number} of the export has the unknown type ${String(type)}`);
  }
  return line as StoreLine;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
