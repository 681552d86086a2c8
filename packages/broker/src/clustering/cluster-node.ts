// This broker as one of several that act as one: forwards messages to the peers that want them, delivers what comes from
// them, keeps retained messages the same everywhere.
import {
  type BatchWaiter,
  type ClusterBus,
  ForwardBatch,
  ForwardResult,
  type ForwardTarget,
  ForwardTicket,
  homeOf,
  type LocalNode,
  type Peer,
  type RetainedFact,
} from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { Logger } from "@wrenmq/plugin-api";
import type { Arena, Message, Millis, TopicTable } from "@wrenmq/protocol";
import type { FactLog } from "../persistence/fact-log.ts";
import type { AckBarrier, AckReceiver } from "../routing/ack-barrier.ts";
import type { ForwardAim, Forwarder } from "../routing/forwarder.ts";
import { PublishWaits } from "../routing/publish-waits.ts";
import type { Router } from "../routing/router.ts";
import type { SharedGroup } from "../routing/shared-groups.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Flushable, Flusher } from "../runtime/flusher.ts";
import type { Timers } from "../runtime/timers.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { LocalInterest } from "./local-interest.ts";
import { RetainedReplica } from "./retained-replica.ts";

/** The parts of the broker that the others have to do with. */
export interface ClusterParts {
  readonly arena: Arena;
  readonly topics: TopicTable;
  readonly router: Router;
  readonly factLog: FactLog | undefined;
  readonly ackBarrier: AckBarrier;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly flusher: Flusher;
  readonly logger: Logger;
}

/** What most messages are sent with. */
const PLAIN: ForwardTarget = { plain: true, groups: undefined, retainedAt: 0 };
/** Metrics of which every broker has the same, or that do not add up. */
const NOT_SUMMED: readonly string[] = ["retained", "retainedBytes", "uptimeSeconds"];

export class ClusterNode implements LocalNode, Forwarder {
  readonly bus: ClusterBus;
  readonly arena: Arena;
  readonly topics: TopicTable;
  readonly durable: boolean;
  /** What was sent last with somebody waiting, and to whom: more can join it, as long as nothing else comes between. */
  #batch: ForwardBatch | undefined;
  #batchPeer: Peer | undefined;
  readonly #core: ClusterParts;
  readonly #router: Router;
  /** Of the message that a peer has sent. */
  readonly #waits = new PublishWaits();
  readonly #interest: LocalInterest;
  readonly #replica: RetainedReplica;

  constructor(bus: ClusterBus, core: ClusterParts, hasStore: boolean) {
    this.bus = bus;
    this.#core = core;
    this.#router = core.router;
    this.arena = core.arena;
    this.topics = core.topics;
    this.durable = hasStore;
    const { routes, retained } = core.router;
    this.#replica = new RetainedReplica(retained, bus.self);
    this.#interest = new LocalInterest({
      bus,
      routes,
      hasStore,
      flushLater: (output) => core.flusher.add(output),
    });
    routes.watcher = this.#interest;
    bus.attach(this);
  }

  /** Is this the broker that publishes the metrics of all? */
  get isFirst(): boolean {
    return this.bus.peers.every((peer) => !peer.up || peer.id > this.bus.self);
  }

  /** Does this broker write down the topic's retained message? */
  keepsRetained(topic: string): boolean {
    return this.#keeper(topic) === this.bus.self;
  }

  sessionChanged(entry: SessionEntry): void {
    this.#interest.changed(entry);
  }

  /** The sum of the metrics of all brokers. The peers get `own`. */
  gather<Names extends string>(own: Readonly<Record<Names, number>>): Readonly<Record<Names, number>> {
    this.bus.shareMetrics(own);
    const sum: Record<string, number> = { ...own };
    for (const metrics of this.bus.metrics()) {
      for (const [name, value] of Object.entries(metrics)) {
        if (!NOT_SUMMED.includes(name)) sum[name] = (sum[name] ?? 0) + value;
      }
    }
    return sum as Record<Names, number>;
  }

  /** Each step a little of it. */
  sweep(now: Millis): Iterable<void> {
    return this.#replica.sweep(
      now,
      this.bus.peers.every((peer) => peer.up),
    );
  }

  // ── from here to the peers ────────────────────────────────────────────────────────────────────────────────────────

  isFull(peers: readonly Peer[], message: Message): boolean {
    for (const peer of peers) if (!peer.up && this.bus.isFull(peer, message)) return true;
    return false;
  }

  chooseSide(group: SharedGroup, publisher: string): Peer | undefined {
    return group.chooseSide(publisher, this.bus.self);
  }

  whenKnown(): Promise<void> | undefined {
    return this.bus.whenKnown();
  }

  whenRelieved(callback: () => void): void {
    this.bus.whenRelieved(callback);
  }

  forward(message: Message, aim: ForwardAim, now: Millis, waits: PublishWaits): void {
    const { peers, elsewhere } = aim;
    const { batchWaiter } = waits;
    if (batchWaiter !== undefined && peers?.length === 1 && elsewhere === undefined && !message.retain) {
      // Most messages that cross go to one peer: those of one publisher that follow each other share a ticket.
      if (waits.congested.length === 0 && waits.authorizations === undefined) {
        this.#forwardInBatch(message, peers[0] as Peer, batchWaiter, aim.isWantedHere, waits);
        return;
      }
    }
    this.#forwardAlone(message, aim, message.retain ? this.#stamped(message, now) : 0, waits);
  }

  forwardShared(peer: Peer, message: Message, filter: string): void {
    this.#batch = undefined;
    const ticket = message.qos > 0 ? new ForwardTicket() : undefined;
    this.bus.forward(peer, message, { plain: false, groups: [filter], retainedAt: 0 }, ticket);
  }

  #stamped(message: Message, now: Millis): number {
    const stamp = this.#replica.stamp(now);
    this.#replica.changed(message.topic, stamp, message.payloadLength > 0, now);
    return stamp;
  }

  #forwardInBatch(message: Message, peer: Peer, waiter: BatchWaiter, isWantedHere: boolean, waits: PublishWaits): void {
    const { bus } = this;
    let batch: ForwardBatch | undefined;
    if (message.qos > 0) {
      batch = this.#batch;
      if (
        batch?.isOpen !== true ||
        batch.waiter !== waiter ||
        this.#batchPeer !== peer ||
        batch.peersOnly === isWantedHere
      ) {
        batch = new ForwardBatch(waiter, !isWantedHere);
        this.#batch = batch;
        this.#batchPeer = peer;
      }
      waits.forwardedTo(batch);
    }
    bus.forward(peer, message, PLAIN, batch);
    if (bus.congested) waits.peersAreCongested();
  }

  /** @param retainedAt 0: the message is not retained */
  #forwardAlone(message: Message, aim: ForwardAim, retainedAt: number, waits: PublishWaits): void {
    const { peers, elsewhere, isWantedHere } = aim;
    const { bus } = this;
    const ticket = message.qos > 0 ? new ForwardTicket() : undefined;
    this.#batch = undefined;
    for (const peer of retainedAt > 0 || elsewhere !== undefined ? bus.peers : (peers ?? [])) {
      const plain = peers?.includes(peer) === true;
      const groups = elsewhere?.get(peer);
      if (!plain && groups === undefined) {
        // A peer that is away gets retained messages when it comes back; only the one that stores this one is waited for.
        if (retainedAt === 0 || (!peer.up && this.#keeper(message.topic) !== peer.id)) continue;
      }
      const target = groups === undefined && retainedAt === 0 ? PLAIN : { plain, groups, retainedAt };
      bus.forward(peer, message, target, ticket);
    }
    if (ticket !== undefined && (ticket.waiting > 0 || ticket.refused)) {
      ticket.peersOnly = !isWantedHere;
      waits.forwardedTo(ticket);
    }
    if (bus.congested) waits.peersAreCongested();
  }

  // ── from the peers ────────────────────────────────────────────────────────────────────────────────────────────────

  deliver(peer: Peer, message: Message, target: ForwardTarget, sequence: number, now: Millis): ForwardResult {
    const { router, factLog, ackBarrier } = this.#core;
    // At QoS 2 others may have it already: it must not be sent again, and is answered when the store has recovered.
    if (factLog?.failing !== undefined && sequence >= 0 && message.qos === 1) return ForwardResult.Refused;
    const waits = this.#waits;
    waits.clear();
    const { retainedAt, groups, plain } = target;
    if (retainedAt > 0 && !this.#retainFrom(message, retainedAt, now, waits)) return ForwardResult.Refused;
    let isWanted = false;
    if (plain) {
      const { recipients } = router.routes.find(message.target);
      router.deliverAll(recipients, message, now, waits);
      isWanted = recipients.length > 0;
    }
    if (groups !== undefined) isWanted = this.#deliverToGroups(groups, message, sequence, now) || isWanted;
    const outcome = isWanted ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers;
    if (sequence < 0 || ackBarrier.isOpen(waits)) return resultOf(outcome);
    ackBarrier.wait(waits, outcome, new PeerAcknowledgement(this.bus, peer, message.qos), sequence);
    return ForwardResult.Later;
  }

  #deliverToGroups(filters: readonly string[], message: Message, sequence: number, now: Millis): boolean {
    const { router } = this.#core;
    let isWanted = false;
    let ticket: ForwardTicket | undefined;
    for (const filter of filters) {
      const group = router.routes.group(filter);
      if (group?.hasMembers === true) {
        router.deliverShared(group, message, now, this.#waits);
        isWanted = true;
        continue;
      }
      // The last member here has left while the message was under way.
      const other = group?.chooseSide(message.publisher, this.bus.self);
      if (other === undefined) continue;
      if (sequence >= 0) ticket ??= new ForwardTicket();
      this.#batch = undefined;
      this.bus.forward(other, message, { plain: false, groups: [filter], retainedAt: 0 }, ticket);
    }
    if (ticket !== undefined && (ticket.waiting > 0 || ticket.refused)) this.#waits.forwardedTo(ticket);
    return isWanted;
  }

  /** @returns false: there is no room for it */
  #retainFrom(message: Message, stamp: number, now: Millis, waits: PublishWaits): boolean {
    const { topic } = message;
    if (!this.#replica.supersedes(topic, stamp)) return true;
    const isSet = message.payloadLength > 0;
    if (!this.#router.replicateRetained(message, waits)) return false;
    this.#replica.changed(topic, stamp, isSet, now);
    return true;
  }

  retainedFor(peer: Peer): Iterator<RetainedFact> {
    const concerns = (topic: string): boolean => {
      const keeper = this.#keeper(topic);
      return keeper === this.bus.self || keeper === peer.id;
    };
    return this.#replica.facts(this.topics, concerns);
  }

  routeSet(peer: Peer, filter: string): void {
    this.#router.routes.addPeer(peer, filter);
  }

  routeRemoved(peer: Peer, filter: string): void {
    this.#router.routes.removePeer(peer, filter);
  }

  groupSet(peer: Peer, filter: string, connected: number, members: number): void {
    this.#router.routes.setPeerGroup(peer, filter, connected, members);
  }

  now(): Millis {
    return this.#core.clock.now();
  }

  at(time: Millis, callback: () => void): () => void {
    const timer = this.#core.timers.at(time, callback);
    return () => timer.cancel();
  }

  flushLater(output: Flushable): void {
    this.#core.flusher.add(output);
  }

  problem(error: Error): void {
    this.#core.logger.warn({ err: error }, "a link between brokers failed");
  }

  #keeper(topic: string): number {
    return homeOf(topic, this.bus.peers.length + 1);
  }
}

/** The peer that has sent a message waits for an answer. */
class PeerAcknowledgement implements AckReceiver {
  readonly #bus: ClusterBus;
  readonly #peer: Peer;
  readonly #qos: number;

  constructor(bus: ClusterBus, peer: Peer, qos: number) {
    this.#bus = bus;
    this.#peer = peer;
    this.#qos = qos;
  }

  acknowledge(sequences: readonly number[], reasonCode: ReasonCode): void {
    for (const sequence of sequences) this.#bus.acknowledge(this.#peer, sequence, resultOf(reasonCode));
  }

  isHeld(): boolean {
    return this.#qos === 2;
  }
}

function resultOf(reasonCode: ReasonCode): ForwardResult {
  if (reasonCode >= 0x80) return ForwardResult.Refused;
  return reasonCode === ReasonCode.NoMatchingSubscribers ? ForwardResult.Nobody : ForwardResult.Received;
}
