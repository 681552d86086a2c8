// The contract between one broker and the others that act as one with it. The broker decides who gets a message; the bus
// knows who is there, what they want, and how to reach them. It owns routes between brokers and the order of what one
// broker tells another, and refuses to know sessions.
import type { Arena, Message, Millis, TopicTable } from "@wrenmq/protocol";
import type { ForwardResult } from "./forward-result.ts";
import type { Ticket } from "./forward-ticket.ts";
import type { Origin, Parcel } from "./parcel.ts";

/** Another broker, as this one sees it; one object for as long as the bus lives. */
export interface Peer {
  /** Its number among those that act as one. */
  readonly id: number;
  /** Is it there, and are its routes known? */
  readonly up: boolean;
}

/** For whom a forwarded message is at the peer. */
export interface ForwardTarget {
  /** Its own subscribers. */
  readonly plain: boolean;
  /** Shared subscriptions (`$share/…`) for which this peer was chosen. */
  readonly groups: readonly string[] | undefined;
  /** When the topic's retained message was set (see `Stamps`); 0: it is not to be retained. */
  readonly retainedAt: number;
  /** May others not have heard of the retained message, because they were away? Who stores it tells them. */
  readonly isOld?: boolean | undefined;
  /** Only for those of its sessions of whom all of these hold. */
  readonly homes?: readonly Homes[] | undefined;
}

/** Its home was broker `home` when there were `count`. */
export interface Homes {
  readonly home: number;
  readonly count: number;
}

/** A forwarded message as it arrives. */
export interface ArrivedTarget extends ForwardTarget {
  /** Of a parcel: what its number means. */
  readonly origin: Origin | undefined;
  /** Parcels come in the order of their numbers, and may come again; 0: no parcel. */
  readonly number: number;
}

/** A retained message, or (with an empty payload) that there is none. */
export interface RetainedFact {
  readonly message: Message;
  readonly stamp: number;
}

export interface ClusterBus {
  /** Number of this broker. */
  readonly self: number;
  /** The others, by their number or not, in a fixed order. */
  readonly peers: readonly Peer[];
  /** Bytes wait for a peer that does not take them: publishers had better wait (`whenRelieved`). */
  readonly congested: boolean;
  /**
   * Has some peer whose sessions outlive its process not been heard of since this broker started? Then it is not known what
   * it wants, and a message above QoS 0 must not be acknowledged.
   */
  readonly isUncertain: boolean;
  /** The broker behind this bus. Routes may be set from now on; what is forwarded waits for `start`. */
  attach(node: LocalNode): void;
  /** Connects to the peers. Resolves when all are there, or when the time for those that are not is over. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * There are local subscribers of a filter.
   * @param durable some of their sessions outlive this broker's process: while it is away, what is for them is kept
   */
  setRoute(filter: string, durable: boolean): void;
  removeRoute(filter: string): void;
  /** How many members a shared subscription has here, and how many of them are connected. 0 members: none any more. */
  setGroup(filter: string, connected: number, members: number, durable: boolean): void;
  /**
   * Sends a message to a peer, after everything that was sent to it before.
   * @param ticket given where somebody waits for the result; it is settled in any case
   */
  forward(peer: Peer, message: Message, target: ForwardTarget, ticket: Ticket | undefined): void;
  /**
   * Sends a parcel to a peer, over each new link again until it has answered: then the parcel, which expects it,
   * is settled, once. A peer that is away gets it when it is back.
   */
  handOver(peer: Peer, parcel: Parcel, target: ForwardTarget): void;
  /** Is as much held for the peer, which is away, as may be? Then no message above QoS 0 may be sent to it. */
  isFull(peer: Peer, message: Message): boolean;
  /** The result of a message for which `deliver` answered `Later`. */
  acknowledge(peer: Peer, sequence: number, result: ForwardResult): void;
  /** Calls back once when nothing is congested any more. */
  whenRelieved(callback: () => void): void;
  /** Resolves when every peer that is there knows the routes and groups as they are now; undefined: they do. */
  whenKnown(): Promise<void> | undefined;
  /** Numbers that the peers get to see. */
  shareMetrics(metrics: Readonly<Record<string, number>>): void;
  /** The numbers that peers have shared last. */
  metrics(): Iterable<Readonly<Record<string, number>>>;
  /** Parcels, and messages that wait for peers that are away. */
  readonly waiting: number;
}

/** The broker, as the bus sees it. All calls come from the event loop, none from inside a call to the bus. */
export interface LocalNode {
  readonly arena: Arena;
  readonly topics: TopicTable;
  /** Do sessions outlive the process? */
  readonly durable: boolean;
  /** Where the numbers of parcels come from that may still be sent. */
  readonly origins: readonly Origin[];
  now(): Millis;
  /** Calls back once at a time; returns a function that cancels. */
  at(time: Millis, callback: () => void): () => void;
  /** Calls `flush` at the end of this turn of the event loop, when the facts of the turn are durable. */
  flushLater(output: { flush(): void }): void;
  /** What all peers want is known from now on: `isUncertain` is false. */
  routesKnown(): void;
  routeSet(peer: Peer, filter: string): void;
  routeRemoved(peer: Peer, filter: string): void;
  groupSet(peer: Peer, filter: string, connected: number, members: number): void;
  /**
   * A message from a peer. Its bytes are lent for the call.
   * @param now when it was read
   * @param sequence for `acknowledge`; -1: nobody waits
   * @returns what became of it; `Later`: `acknowledge` will tell
   */
  deliver(peer: Peer, message: Message, target: ArrivedTarget, sequence: number, now: Millis): ForwardResult;
  /** From these a peer may still send parcels; from others of the same store nothing comes any more. */
  originsTold(peer: Peer, origins: readonly Origin[]): void;
  /** What a peer that has just come should know of retained messages. */
  retainedFor(peer: Peer): Iterator<RetainedFact>;
  problem(error: Error): void;
}
