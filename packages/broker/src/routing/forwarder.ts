// The way to other brokers that act as one with this one, as the router sees it: nobody, or the cluster.
import type { Peer } from "@wrenmq/cluster";
import type { Message, Millis } from "@wrenmq/protocol";
import type { PublishWaits } from "./publish-waits.ts";
import type { SharedGroup } from "./shared-groups.ts";

/** Who is to get a message at the peers. */
export interface ForwardAim {
  /** Peers with subscribers of their own. */
  readonly peers: readonly Peer[] | undefined;
  /** Peers that were chosen for shared subscriptions, with the filters of these. */
  readonly elsewhere: ReadonlyMap<Peer, readonly string[]> | undefined;
  /** Does anybody here get the message? */
  readonly isWantedHere: boolean;
}

export interface Forwarder {
  /** Is as much held for one of the peers, which is away, as may be? It would refuse a message above QoS 0. */
  isFull(peers: readonly Peer[], message: Message): boolean;
  /** The peer whose turn it is in a shared subscription; undefined: this broker. */
  chooseSide(group: SharedGroup, publisher: string): Peer | undefined;
  /** Sends a message to the peers that want it; one with RETAIN to all of them. What its acknowledgement waits for goes to `waits`. */
  forward(message: Message, aim: ForwardAim, now: Millis, waits: PublishWaits): void;
  /** Sends a message to the members of a shared subscription at a peer. */
  forwardShared(peer: Peer, message: Message, filter: string): void;
  /** Does this broker write down the topic's retained message? */
  keepsRetained(topic: string): boolean;
  /** Resolves when every peer knows the subscriptions of this broker as they are now; undefined: they do. */
  whenKnown(): Promise<void> | undefined;
  /** Calls back once when no peer is behind any more. */
  whenRelieved(callback: () => void): void;
}

/** A broker of its own. */
export const NO_PEERS: Forwarder = {
  isFull: () => false,
  chooseSide: () => undefined,
  forward: () => {},
  forwardShared: () => {},
  keepsRetained: () => true,
  whenKnown: () => undefined,
  whenRelieved: (callback) => callback(),
};
