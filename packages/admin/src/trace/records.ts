// The lines of a trace file: a header, then what happened, in order. One JSON object each. Runs in browsers too.
import type { Packet } from "@wrenmq/codec";

/** Raised when older programs would misread the file. */
export const TRACE_VERSION = 1;

/** In the place of a password or of authentication data: there was one. */
export interface Hidden {
  readonly hidden: true;
}

/** Bytes: their number, and the bytes themselves if the trace has payloads. */
export interface TracedBytes {
  readonly length: number;
  readonly utf8?: string;
  readonly base64?: string;
  /** There are more than are shown. */
  readonly truncated?: true;
}

type Traced<Value> = Value extends Uint8Array
  ? TracedBytes | Hidden
  : Value extends readonly unknown[]
    ? Value
    : Value extends object
      ? { readonly [Key in keyof Value]: Traced<Value[Key]> }
      : Value;

/** A packet as the codec decodes it, with its bytes as above. */
export type TracedPacket = Packet extends infer One ? (One extends Packet ? Traced<One> : never) : never;

export interface TracedMessage {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  /** Client identifier; empty: the server. */
  readonly publisher: string;
  readonly payload: TracedBytes;
  readonly properties?: Readonly<Record<string, unknown>>;
  /** Seconds until it expires. */
  readonly expiresIn?: number;
}

interface Line<Kind extends string> {
  readonly kind: Kind;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface TraceHeader extends Line<"header"> {
  readonly version: number;
  readonly broker: string;
  readonly client?: string;
  readonly topic?: string;
  readonly seconds: number;
  readonly payloads: boolean;
  readonly maxBytes: number;
  /** Of the broker, by name. */
  readonly limits: Readonly<Record<string, unknown>>;
}

/** The client as it was when the trace began. */
export interface StateRecord extends Line<"state"> {
  readonly client: string;
  readonly connected: boolean;
  readonly connection?: number;
  readonly protocolVersion?: number;
  readonly username?: string;
  readonly keepAlive?: number;
  readonly cleanStart?: boolean;
  /** Seconds; null: for ever. */
  readonly sessionExpiryInterval: number | null;
  readonly receiveMaximum?: number;
  readonly maximumPacketSize?: number;
  readonly subscriptions: readonly {
    readonly filter: string;
    readonly qos: number;
    readonly noLocal: boolean;
    readonly retainAsPublished: boolean;
    readonly retainHandling: number;
    readonly subscriptionIdentifier?: number;
  }[];
  readonly queued: number;
  readonly inflight: number;
}

export interface PacketRecord extends Line<"packet"> {
  readonly client: string;
  /** Distinguishes the connections of a client. */
  readonly connection: number;
  /** in: from the client. */
  readonly direction: "in" | "out";
  readonly packet: TracedPacket;
}

/** The access rules have decided; the verdict holds for later packets of the same topic. */
export interface AuthorizeRecord extends Line<"authorize"> {
  readonly client: string;
  readonly action: string;
  readonly topic: string;
  readonly reasonCode: number;
  readonly rule?: string;
}

/** What each plugin says about a message that a client did not get. */
export interface ExplainRecord extends Line<"explain"> {
  readonly client: string;
  readonly action: string;
  readonly topic: string;
  readonly opinions: readonly { readonly plugin: string; readonly decision: string; readonly rule?: string }[];
}

/** CONNECT was refused. */
export interface RefusedRecord extends Line<"refused"> {
  readonly client: string;
  readonly connection: number;
  readonly reasonCode: number;
  readonly rule?: string;
}

export interface DisconnectedRecord extends Line<"disconnected"> {
  readonly client: string;
  readonly connection: number;
  readonly reasonCode: number;
}

/** A message was accepted, and goes to so many sessions, groups of shared subscriptions, and other brokers. */
export interface RoutedRecord extends Line<"routed"> {
  readonly message: TracedMessage;
  readonly sessions: number;
  readonly groups: number;
  readonly peers: number;
}

export interface DeliveredRecord extends Line<"delivered"> {
  readonly client: string;
  readonly message: TracedMessage;
  readonly qos: number;
  /** The retain flag of the PUBLISH. */
  readonly retain: boolean;
  /** It waited in the queue before. */
  readonly waited: boolean;
}

export interface QueuedRecord extends Line<"queued"> {
  readonly client: string;
  readonly message: TracedMessage;
  readonly qos: number;
  readonly retain: boolean;
  /** Of the queue. */
  readonly length: number;
}

export interface DroppedRecord extends Line<"dropped"> {
  /** Who did not get it (`subscriber`), or whose message was refused (`publisher`). */
  readonly client: string;
  readonly side: "subscriber" | "publisher";
  readonly message: TracedMessage;
  readonly reason: string;
}

/** So many lines are not here: there were more than the reader took. */
export interface LostRecord extends Line<"lost"> {
  readonly records: number;
}

export interface EndRecord extends Line<"end"> {
  /** time: the seconds are over; bytes: it is as long as it may be. */
  readonly reason: "time" | "bytes";
  readonly records: number;
}

export type TraceRecord =
  | StateRecord
  | PacketRecord
  | AuthorizeRecord
  | ExplainRecord
  | RefusedRecord
  | DisconnectedRecord
  | RoutedRecord
  | DeliveredRecord
  | QueuedRecord
  | DroppedRecord
  | LostRecord
  | EndRecord;

export type TraceLine = TraceHeader | TraceRecord;
