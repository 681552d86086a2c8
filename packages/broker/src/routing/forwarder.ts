// The interface of the router to other brokers that act as one with this one: there are none, or the cluster.
import type { Peer } from "@wrenmq/cluster";
import type { ReasonCode } from "@wrenmq/codec";
import type { Message, Millis } from "@wrenmq/protocol";
import type { PublishWaits } from "./publish-waits.ts";
import type { Route } from "./route.ts";
import type { SharedGroup } from "./shared-groups.ts";

/** The receivers of a message at other brokers. */
export interface ForwardAim {
  /** Peers with ordinary subscribers. */
  readonly peers: readonly Peer[] | undefined;
  /** Peers that were chosen for shared subscriptions, with the filters of these. */
  readonly elsewhere: ReadonlyMap<Peer, readonly string[]> | undefined;
  /** Does a session of this broker get the message? */
  readonly isWantedHere: boolean;
  /** The result of `stampRetained`; 0: the message is not retained. */
  readonly retainedAt: number;
}

export interface Forwarder {
  /**
   * May a message above QoS 0 be routed? Called before it is delivered.
   * @returns undefined: it may; a refusal: a peer cannot be reached and no more can be held for it; 0x00: it is held,
   * and routed later
   */
  admit(message: Message, route: Route, waits: PublishWaits): ReasonCode | undefined;
  /** The peer whose turn it is in a shared subscription; undefined: this broker. */
  chooseSide(group: SharedGroup, publisher: string): Peer | undefined;
  /**
   * Sends a message to the peers with subscribers; one with RETAIN to all peers. What its acknowledgement waits for is
   * added to `waits`.
   */
  forward(message: Message, aim: ForwardAim, now: Millis, waits: PublishWaits): void;
  /**
   * Sends a message to the members of a shared subscription at a peer; it is not acknowledged to a client and not sent
   * again.
   */
  forwardShared(peer: Peer, message: Message, filter: string): void;
  /**
   * A number that orders changes of retained messages among all brokers: later ones are larger. 0: there are no other
   * brokers.
   */
  stampRetained(now: Millis): number;
  /** Does this broker store the topic's retained message? */
  keepsRetained(topic: string): boolean;
  /** Resolves when every peer knows the present subscriptions of this broker; undefined: they do. */
  whenKnown(): Promise<void> | undefined;
  /** Calls back once when no peer is behind any more. */
  whenRelieved(callback: () => void): void;
}

/** For a broker without peers. */
export const NO_PEERS: Forwarder = {
  admit: () => undefined,
  chooseSide: () => undefined,
  forward: () => {},
  forwardShared: () => {},
  stampRetained: () => 0,
  keepsRetained: () => true,
  whenKnown: () => undefined,
  whenRelieved: (callback) => callback(),
};
