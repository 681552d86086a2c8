// The contract between one broker and the others that act as one with it. The broker decides who gets a message; the
// bus knows the peers and their subscriptions, and how to reach them. It owns the routes between brokers and the order
// of messages to a peer, and knows no sessions.
import type { Arena, Message, Millis, TopicTable } from "@wrenmq/protocol";
import type { ForwardResult } from "./forward-result.ts";
import type { Ticket } from "./forward-ticket.ts";
import type { Origin, Parcel } from "./parcel.ts";

/** Another broker, as this one sees it; one object as long as it is one of those that act as one. */
export interface Peer {
  /** Its number among the brokers that act as one. */
  readonly id: number;
  /** Is it connected, and are its routes known? */
  readonly up: boolean;
}

/** The receivers of a forwarded message at the peer. */
export interface ForwardTarget {
  /** Ordinary subscribers. */
  readonly plain: boolean;
  /** Shared subscriptions (`$share/…`) for which this peer was chosen. */
  readonly groups: readonly string[] | undefined;
  /** When the topic's retained message was set (see `Stamps`); 0: it is not to be retained. */
  readonly retainedAt: number;
  /**
   * May other peers lack the retained message, because they were not connected? The one that stores it sends it to
   * them.
   */
  readonly isOld?: boolean | undefined;
  /** Only for sessions of the peer for which all of these hold. */
  readonly homes?: readonly Homes[] | undefined;
}

/** The session's home was broker `home` when there were `count`. */
export interface Homes {
  readonly home: number;
  readonly count: number;
}

/** A forwarded message as it arrives. */
export interface ArrivedTarget extends ForwardTarget {
  /** Of a parcel: the origin of its number. */
  readonly origin: Origin | undefined;
  /** Parcels come in the order of their numbers, and may come again; 0: it is not a parcel. */
  readonly number: number;
}

/** A retained message, or, with an empty payload, its removal. */
export interface RetainedFact {
  readonly message: Message;
  readonly stamp: number;
}

/** A member of a cluster, as another one sees it. */
export interface MemberReport {
  readonly id: number;
  readonly name: string;
  readonly version: string;
  /** joining: it serves no clients yet; away: it was not heard of lately. */
  readonly state: "up" | "away" | "joining";
  readonly isSelf: boolean;
  /** Number of partitions that it serves. */
  readonly partitions: number;
  /** Milliseconds since it was heard of. */
  readonly silence: number;
  /** Bytes of the reporting member that it has not confirmed. */
  readonly unconfirmed: number;
  /** Does an operator empty it? */
  readonly isDraining: boolean;
}

/** A partition of the clients of a cluster. */
export interface PartitionReport {
  readonly partition: number;
  /** Number of the member that serves it; undefined: there is none at present. */
  readonly owner: number | undefined;
  /** How often it was given to a member; undefined: its sessions are in memory. */
  readonly run: number | undefined;
  /** Number of the member where an operator wants it to be. */
  readonly wished: number | undefined;
}

/** A cluster, as one of its members sees it. */
export interface ClusterReport {
  readonly name: string;
  /** Is this member connected to the others? */
  readonly isConnected: boolean;
  /** May it acknowledge messages? Otherwise the others may have replaced it. */
  readonly isCertain: boolean;
  /** The server that it uses to reach the others. */
  readonly server: string;
  /** Number of partitions without a member. */
  readonly unserved: number;
  readonly members: readonly MemberReport[];
  readonly partitions: readonly PartitionReport[];
}

/** What operators can change, at any member. */
export interface ClusterSteering {
  /**
   * Gives the shards of a member to others, one after the other, and none to it; or takes that back. Resolves when all
   * members are to know.
   * @param member its name
   * @throws ClusterError ERR_CLUSTER_REQUEST, ERR_CLUSTER_NATS
   */
  drain(member: string, isDraining: boolean): Promise<void>;
  /**
   * Gives a shard to a member, where it stays while that can have it.
   * @throws ClusterError ERR_CLUSTER_REQUEST, ERR_CLUSTER_NATS
   */
  move(partition: number, member: string): Promise<void>;
}

export interface ClusterBus {
  /** Number of this broker. */
  readonly self: number;
  /** The other brokers. */
  readonly peers: readonly Peer[];
  /**
   * Number of the broker that stores a topic's retained message. Where brokers come and go each keeps all of them: it is
   * this one.
   */
  keeperOf(topic: string): number;
  /** Bytes wait for a peer that does not read them: publishers should wait (`whenRelieved`). */
  readonly congested: boolean;
  /**
   * Is there a peer whose sessions outlive its process and that has not connected since this broker started? Its
   * subscriptions are then unknown, and a message above QoS 0 must not be acknowledged.
   */
  readonly isUncertain: boolean;
  /** Sets the broker of this bus. Routes may be set from now on; forwarded messages wait for `start`. */
  attach(node: LocalNode): void;
  /** Connects to the peers. Resolves when all are connected, or when the time for the others is over. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * Before `stop`, where sessions outlive this broker: peers keep what they have for it from now on. Resolves when what
   * they have sent before is here; it can still be answered.
   */
  leave(): Promise<void>;
  /** Cuts all links at once: nothing is sent and nothing is answered any more. */
  abandon(): void;
  /**
   * There are local subscribers to a filter.
   * @param durable some of their sessions outlive this broker's process: while it is down, peers keep messages for them
   */
  setRoute(filter: string, durable: boolean): void;
  removeRoute(filter: string): void;
  /**
   * Sets how many members a shared subscription has here, and how many of them are connected. 0 members: it has ended
   * here.
   */
  setGroup(filter: string, connected: number, members: number, durable: boolean): void;
  /**
   * Sends a message to a peer, in order.
   * @param ticket gets the result, in any case; undefined: the result is not needed
   */
  forward(peer: Peer, message: Message, target: ForwardTarget, ticket: Ticket | undefined): void;
  /**
   * Sends a parcel to a peer, and again over each new link until it has answered. The parcel then gets the result,
   * once. A peer that is not connected gets it when it is.
   */
  handOver(peer: Peer, parcel: Parcel, target: ForwardTarget): void;
  /**
   * Is the space for messages to this peer, which is not connected, used up? Then no message above QoS 0 may be sent to
   * it.
   */
  isFull(peer: Peer, message: Message): boolean;
  /** The result of a message for which `deliver` has returned `Later`. */
  acknowledge(peer: Peer, sequence: number, result: ForwardResult): void;
  /** Calls back once when nothing is congested any more. */
  whenRelieved(callback: () => void): void;
  /** Resolves when every connected peer knows the present routes and groups; undefined: they do. */
  whenKnown(): Promise<void> | undefined;
  /**
   * While others may have replaced this broker without its knowledge: resolves when it is certain that they have not.
   * Until then no message above QoS 0 may be acknowledged. undefined: it is certain.
   */
  whenCertain(): Promise<void> | undefined;
  /** Of the members; undefined: this broker is no member of a cluster. */
  report(): ClusterReport | undefined;
  /** undefined: this broker is no member of a cluster. */
  readonly steering: ClusterSteering | undefined;
  /** Metrics for the peers. */
  shareMetrics(metrics: Readonly<Record<string, number>>): void;
  /** The metrics that the peers have shared last. */
  metrics(): Iterable<Readonly<Record<string, number>>>;
  /** Number of parcels and messages that wait for peers. */
  readonly waiting: number;
}

/** The broker, as the bus sees it. Its methods are called by the event loop, never from inside a call to the bus. */
export interface LocalNode {
  readonly arena: Arena;
  readonly topics: TopicTable;
  /** Do sessions outlive the process? */
  readonly durable: boolean;
  /** Origins of parcels that may still be sent. */
  readonly origins: readonly Origin[];
  now(): Millis;
  /**
   * Calls back once at a time.
   * @returns a function that cancels
   */
  at(time: Millis, callback: () => void): () => void;
  /** Calls `flush` at the end of this turn of the event loop, when the facts of the turn are durable. */
  flushLater(output: { flush(): void }): void;
  /** The subscriptions of all peers are known from now on: `isUncertain` is false. */
  routesKnown(): void;
  routeSet(peer: Peer, filter: string): void;
  routeRemoved(peer: Peer, filter: string): void;
  groupSet(peer: Peer, filter: string, connected: number, members: number): void;
  /**
   * A message from a peer. Its bytes are valid during the call only.
   * @param now when it was read
   * @param sequence for `acknowledge`; -1: no result is needed
   * @returns the result; `Later`: `acknowledge` will be called
   */
  deliver(peer: Peer, message: Message, target: ArrivedTarget, sequence: number, now: Millis): ForwardResult;
  /** The broker that was chosen for these shared subscriptions has ended, perhaps without the message. */
  chooseAgain(message: Message, groups: readonly string[]): void;
  /** The peer may still send parcels of these origins, and none of other origins of the same store. */
  originsTold(peer: Peer, origins: readonly Origin[]): void;
  /** The retained messages that a newly connected peer needs. */
  retainedFor(peer: Peer): Iterator<RetainedFact>;
  problem(error: Error): void;
}
