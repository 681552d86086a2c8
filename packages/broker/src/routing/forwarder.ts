// The way to other brokers that act as one with this one, as the router sees it: nobody, or the cluster.
import type { Peer } from "@wrenmq/cluster";
import type { ReasonCode } from "@wrenmq/codec";
import type { Message, Millis } from "@wrenmq/protocol";
import type { PublishWaits } from "./publish-waits.ts";
import type { Route } from "./route.ts";
import type { SharedGroup } from "./shared-groups.ts";

/** Who is to get a message at the peers. */
export interface ForwardAim {
  /** Peers with subscribers of their own. */
  readonly peers: readonly Peer[] | undefined;
  /** Peers that were chosen for shared subscriptions, with the filters of these. */
  readonly elsewhere: ReadonlyMap<Peer, readonly string[]> | undefined;
  /** Does anybody here get the message? */
  readonly isWantedHere: boolean;
  /** Of `stampRetained`; 0: the message is not retained. */
  readonly retainedAt: number;
}

export interface Forwarder {
  /**
   * May a message above QoS 0 be routed? Asked before anybody gets it.
   * @returns undefined: it may; a refusal: not all peers can be reached or kept waiting; 0x00: it is kept, and routed later
   */
  admit(message: Message, route: Route, waits: PublishWaits): ReasonCode | undefined;
  /** The peer whose turn it is in a shared subscription; undefined: this broker. */
  chooseSide(group: SharedGroup, publisher: string): Peer | undefined;
  /** Sends a message to the peers that want it; one with RETAIN to all of them. What its acknowledgement waits for goes to `waits`. */
  forward(message: Message, aim: ForwardAim, now: Millis, waits: PublishWaits): void;
  /** Sends a message to the members of a shared subscription at a peer; nobody waits for it, and nobody sends it again. */
  forwardShared(peer: Peer, message: Message, filter: string): void;
  /** Orders changes of retained messages among all brokers: later ones are larger. 0: there are no others. */
  stampRetained(now: Millis): number;
  /** Does this broker write down the topic's retained message? */
  keepsRetained(topic: string): boolean;
  /** Resolves when every peer knows the subscriptions of this broker as they are now; undefined: they do. */
  whenKnown(): Promise<void> | undefined;
  /** Calls back once when no peer is behind any more. */
  whenRelieved(callback: () => void): void;
}

/** A broker of its own. */
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
