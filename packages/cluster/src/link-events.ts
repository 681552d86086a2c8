// The interfaces between a link to another broker, the bus that owns it, and the peer at its other end.
import type { Message, Millis } from "@wrenmq/protocol";
import type { ArrivedTarget, Peer } from "./cluster-bus.ts";
import type { ForwardResult } from "./forward-result.ts";
import type { Origin } from "./parcel.ts";
import type { RelaySide } from "./relay.ts";
import type { RelayOpening } from "./wire/relay-info.ts";

export interface Greeting {
  readonly id: number;
  /** 0: they come and go. */
  readonly count: number;
  /** Do its sessions outlive its process? */
  readonly durable: boolean;
}

/** The peer, as its link uses it. */
export interface LinkedPeer extends Peer {
  readonly generation: number;
  /** The results of `count` messages that were forwarded to it, from `sequence` on. */
  answered(sequence: number, count: number, result: ForwardResult): void;
  /** Are the bytes of its unanswered parcels at their bound, although it is connected? */
  readonly isBehind: boolean;
}

/** The owner of a link: the bus. */
export interface LinkEvents<Link> {
  greeted(link: Link, greeting: Greeting): void;
  originsTold(link: Link, origins: readonly Origin[]): void;
  routeSet(link: Link, filter: string, durable: boolean): void;
  routeRemoved(link: Link, filter: string): void;
  groupSet(link: Link, filter: string, connected: number, members: number, durable: boolean): void;
  routesEnded(link: Link): void;
  retainedEnded(link: Link): void;
  /** @returns the result */
  forwarded(link: Link, message: Message, target: ArrivedTarget, sequence: number, now: Millis): ForwardResult;
  /** The result of `count` messages, from `sequence` on. */
  answered(link: Link, sequence: number, count: number, result: ForwardResult): void;
  /** The broker at the other end ends: it is to be sent nothing more. */
  left(link: Link): void;
  metricsTold(link: Link, metrics: Readonly<Record<string, number>>): void;
  relayOpened(link: Link, id: number, opening: RelayOpening): RelaySide | undefined;
  /** The bytes that waited have been sent. */
  drained(link: Link): void;
  closed(link: Link, error: Error | undefined): void;
}
