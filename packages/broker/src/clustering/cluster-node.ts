// This broker as one of several that act as one: forwards messages to peers with subscribers, delivers those of peers,
// and keeps retained messages the same on all.
import {
  type ArrivedTarget,
  type ClusterBus,
  ForwardResult,
  type ForwardTarget,
  ForwardTicket,
  type LocalNode,
  type Origin,
  type Peer,
  type RetainedFact,
} from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { Logger } from "@wrenmq/plugin-api";
import type { Arena, Message, Millis, Session, TopicTable } from "@wrenmq/protocol";
import type { OutboxEntry, Store } from "@wrenmq/store";
import type { FactLog } from "../persistence/fact-log.ts";
import type { MessageOutbox } from "../persistence/message-outbox.ts";
import type { AckBarrier } from "../routing/ack-barrier.ts";
import type { ForwardAim, Forwarder } from "../routing/forwarder.ts";
import { PublishWaits } from "../routing/publish-waits.ts";
import type { Route } from "../routing/route.ts";
import { type Router, withGroup } from "../routing/router.ts";
import type { SharedGroup } from "../routing/shared-groups.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Flushable, Flusher } from "../runtime/flusher.ts";
import type { Timers } from "../runtime/timers.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { ForwardBatches, PLAIN } from "./forward-batches.ts";
import { atHome } from "./homes.ts";
import { LocalInterest } from "./local-interest.ts";
import { OutboxResumption } from "./outbox-resumption.ts";
import { type Exchange, Parcels, type Send } from "./parcels.ts";
import { PeerAcknowledgement, resultOf } from "./peer-acknowledgement.ts";
import { RetainedReplica } from "./retained-replica.ts";
import { sumMetrics } from "./summed-metrics.ts";
import { TakenNumbers } from "./taken-numbers.ts";

/** The parts of the broker that clustering uses. */
export interface ClusterParts {
  readonly arena: Arena;
  readonly topics: TopicTable;
  readonly router: Router;
  readonly factLog: FactLog | undefined;
  readonly outbox: MessageOutbox | undefined;
  readonly ackBarrier: AckBarrier;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly flusher: Flusher;
  readonly logger: Logger;
}

const NOBODY_WAITS: Exchange = { session: undefined, packetId: 0 };

export class ClusterNode implements LocalNode, Forwarder {
  readonly bus: ClusterBus;
  readonly arena: Arena;
  readonly topics: TopicTable;
  readonly durable: boolean;
  readonly #batches: ForwardBatches;
  readonly #core: ClusterParts;
  readonly #router: Router;
  /** For messages of peers. */
  readonly #waits = new PublishWaits();
  readonly #interest: LocalInterest;
  readonly #replica: RetainedReplica;
  readonly #taken: TakenNumbers;
  readonly #parcels: Parcels | undefined;
  readonly #resumption: OutboxResumption | undefined;

  constructor(bus: ClusterBus, core: ClusterParts, hasStore: boolean) {
    this.bus = bus;
    this.#batches = new ForwardBatches(bus);
    this.#core = core;
    this.#router = core.router;
    this.arena = core.arena;
    this.topics = core.topics;
    this.durable = hasStore;
    const { routes, retained } = core.router;
    this.#replica = new RetainedReplica(retained, bus.self);
    const { factLog, outbox } = core;
    this.#taken = new TakenNumbers(factLog);
    if (factLog !== undefined && outbox !== undefined) {
      // Messages of a batch follow each other: none joins a batch from before a parcel.
      const parcels = new Parcels(bus, factLog, outbox, () => this.#batches.end());
      this.#parcels = parcels;
      this.#resumption = new OutboxResumption({
        bus,
        router: core.router,
        outbox,
        parcels,
        now: () => core.clock.now(),
        keeper: (topic) => this.#keeper(topic),
        deliverHere: (message, target, now, waits) => void this.#take(message, target, now, waits),
      });
    }
    this.#interest = new LocalInterest({
      bus,
      routes,
      hasStore,
      flushLater: (output) => core.flusher.add(output),
    });
    routes.watcher = this.#interest;
    bus.attach(this);
  }

  /** Does this broker publish the metrics of all? */
  get isFirst(): boolean {
    return this.bus.peers.every((peer) => !peer.up || peer.id > this.bus.self);
  }

  /** Does this broker store the topic's retained message? */
  keepsRetained(topic: string): boolean {
    return this.#keeper(topic) === this.bus.self;
  }

  sessionChanged(entry: SessionEntry): void {
    this.#interest.changed(entry);
  }

  /** The sum of the metrics of all brokers. The peers get `own`. */
  gather<Names extends string>(own: Readonly<Record<Names, number>>): Readonly<Record<Names, number>> {
    this.bus.shareMetrics(own);
    return sumMetrics(own, this.bus.metrics());
  }

  /** Each step does a little of the work. */
  sweep(now: Millis): Iterable<void> {
    const allKnow = this.bus.peers.every((peer) => peer.up);
    return this.#replica.sweep(now, allKnow, (topic) => {
      if (this.keepsRetained(topic)) this.#core.factLog?.record({ op: "deleteRetained", topic }, undefined);
    });
  }

  // ── messages to peers ──────────────────────────────────────────────────────────────────────────────────────────────

  admit(message: Message, { peers, groups }: Route, waits: PublishWaits): ReasonCode | undefined {
    const { bus } = this;
    // The subscribers are unknown: if it were acknowledged it could be lost.
    if (bus.isUncertain) {
      if (this.#resumption === undefined || waits.isSentAgain || waits.packetId > 0) return ReasonCode.QuotaExceeded;
      this.#resumption.postpone(message);
      return ReasonCode.Success;
    }
    const certain = bus.whenCertain();
    if (certain !== undefined) waits.authorizes(certain.then(() => undefined));
    for (const peer of bus.peers) {
      if (peer.up || !bus.isFull(peer, message)) continue;
      if (peers?.includes(peer) === true || groups.some((group) => group.mayChoose(peer)))
        return ReasonCode.QuotaExceeded;
      if (message.retain && this.#keeper(message.topic) === peer.id) return ReasonCode.QuotaExceeded;
    }
    return undefined;
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
    const { peers, elsewhere, retainedAt } = aim;
    if (retainedAt > 0) this.#replica.changed(message.topic, retainedAt, message.payloadLength > 0, now);
    if (this.#parcels !== undefined && message.qos > 0 && !waits.isSentAgain) {
      this.#sendParcel(message, aim, waits, this.#parcels);
      return;
    }
    const { batchWaiter } = waits;
    if (batchWaiter !== undefined && peers?.length === 1 && elsewhere === undefined && retainedAt === 0) {
      // Most messages to peers have one receiver: successive ones of a publisher share a ticket.
      if (waits.congested.length === 0 && waits.authorizations === undefined) {
        this.#batches.forward(message, peers[0] as Peer, batchWaiter, aim.isWantedHere, waits);
        return;
      }
    }
    this.#forwardAlone(message, aim, waits);
  }

  forwardShared(peer: Peer, message: Message, filter: string): void {
    const target: ForwardTarget = { plain: false, groups: [filter], retainedAt: 0 };
    if (this.#parcels !== undefined && message.qos > 0) {
      this.#parcels.send(message, [[peer, target]], NOBODY_WAITS);
      return;
    }
    this.#batches.end();
    this.bus.forward(peer, message, target, undefined);
  }

  stampRetained(now: Millis): number {
    return this.#replica.stamp(now);
  }

  #sendParcel(message: Message, aim: ForwardAim, waits: PublishWaits, parcels: Parcels): void {
    const sends = this.#sends(message, aim);
    this.#batches.end();
    if (sends.length === 0) return;
    const parcel = parcels.send(message, sends, waits);
    waits.factRecorded();
    parcel.peersOnly = !aim.isWantedHere;
    waits.forwardedTo(parcel);
    if (this.bus.congested) waits.peersAreCongested();
  }

  #sends(message: Message, { peers, elsewhere, retainedAt }: ForwardAim): Send[] {
    const sends: Send[] = [];
    // A peer may reconnect before the broker that stores the message has it: then that broker passes it on.
    const isOld = retainedAt > 0 && this.bus.peers.some(({ up }) => !up);
    for (const peer of retainedAt > 0 || elsewhere !== undefined ? this.bus.peers : (peers ?? [])) {
      const plain = peers?.includes(peer) === true;
      const groups = elsewhere?.get(peer);
      if (!plain && groups === undefined) {
        // A peer gets retained messages when it connects; only the one that stores this message is waited for.
        if (retainedAt === 0 || (!peer.up && this.#keeper(message.topic) !== peer.id)) continue;
      }
      sends.push([peer, groups === undefined && retainedAt === 0 ? PLAIN : { plain, groups, retainedAt, isOld }]);
    }
    return sends;
  }

  #forwardAlone(message: Message, aim: ForwardAim, waits: PublishWaits): void {
    const { isWantedHere } = aim;
    const { bus } = this;
    const ticket = message.qos > 0 ? new ForwardTicket() : undefined;
    this.#batches.end();
    for (const [peer, target] of this.#sends(message, aim)) {
      bus.forward(peer, message, target, ticket);
    }
    if (ticket !== undefined && (ticket.waiting > 0 || ticket.refused)) {
      ticket.peersOnly = !isWantedHere;
      waits.forwardedTo(ticket);
    }
    if (bus.congested) waits.peersAreCongested();
  }

  // ── messages from peers ────────────────────────────────────────────────────────────────────────────────────────────

  deliver(peer: Peer, message: Message, target: ArrivedTarget, sequence: number, now: Millis): ForwardResult {
    const { factLog, ackBarrier } = this.#core;
    const { origin, number } = target;
    // A message that is not sent again was taken by others already: it is taken here too, and answered when the store
    // works.
    const isSentAgain = origin === undefined && message.qos < 2;
    if (factLog?.failing !== undefined && sequence >= 0 && isSentAgain) return ForwardResult.Refused;
    const waits = this.#waits;
    waits.clear();
    waits.isSentAgain = isSentAgain;
    let isWanted = true;
    if (origin !== undefined && this.#taken.has(origin, number)) {
      // It may not be durable yet.
      waits.factRecorded();
    } else {
      isWanted = this.#take(message, target, now, waits);
      if (origin !== undefined) this.#taken.take(origin, number, waits.recorded);
    }
    const outcome = isWanted ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers;
    if (sequence < 0 || ackBarrier.isOpen(waits)) return resultOf(outcome);
    ackBarrier.wait(waits, outcome, new PeerAcknowledgement(this.bus, peer, !isSentAgain), sequence);
    return ForwardResult.Later;
  }

  /** @returns does a session of this broker get it? */
  #take(message: Message, target: ForwardTarget, now: Millis, waits: PublishWaits): boolean {
    const { retainedAt, groups, plain, homes, isOld } = target;
    if (retainedAt > 0) this.#retainFrom(message, retainedAt, isOld === true, now, waits);
    let isWanted = false;
    if (plain) {
      const recipients = atHome(this.#router.routes.find(message.target).recipients, homes);
      this.#router.deliverAll(recipients, message, now, waits);
      isWanted = recipients.length > 0;
    }
    return groups === undefined ? isWanted : this.#deliverToGroups(groups, message, now, waits) || isWanted;
  }

  #deliverToGroups(filters: readonly string[], message: Message, now: Millis, waits: PublishWaits): boolean {
    let isWanted = false;
    let elsewhere: Map<Peer, string[]> | undefined;
    for (const filter of filters) {
      const group = this.#router.routes.group(filter);
      if (group?.hasMembers === true) {
        this.#router.deliverShared(group, message, now, waits);
        isWanted = true;
        continue;
      }
      // The last member here has left while the message was in transit.
      const other = group?.chooseSide(message.publisher, this.bus.self);
      if (group !== undefined && other !== undefined) elsewhere = withGroup(elsewhere, other, group);
    }
    if (elsewhere !== undefined) {
      const aim = { peers: undefined, elsewhere, isWantedHere: isWanted, retainedAt: 0 };
      if (this.#parcels !== undefined && message.qos > 0 && !waits.isSentAgain) {
        this.#sendParcel(message, aim, waits, this.#parcels);
      } else this.#forwardAlone(message, aim, waits);
    }
    return isWanted;
  }

  /** @param isOld its sender tells no other peer: the broker that stores the topic does, if it is new */
  #retainFrom(message: Message, stamp: number, isOld: boolean, now: Millis, waits: PublishWaits): void {
    const { topic } = message;
    if (!this.#replica.supersedes(topic, stamp)) {
      // It, or a later one, may not be durable yet.
      if (this.keepsRetained(topic)) waits.factRecorded();
      return;
    }
    this.#router.replicateRetained(message, stamp, waits);
    this.#replica.changed(topic, stamp, message.payloadLength > 0, now);
    if (isOld && this.keepsRetained(topic)) this.#tellRetained(message, stamp);
  }

  /** To all connected peers; others get it when they connect. */
  #tellRetained(message: Message, retainedAt: number): void {
    for (const peer of this.bus.peers) {
      if (peer.up) this.bus.forward(peer, message, { plain: false, groups: undefined, retainedAt }, undefined);
    }
  }

  chooseAgain(message: Message, groups: readonly string[]): void {
    for (const filter of groups) this.#router.reassign(filter, message, this.now());
  }

  originsTold(_peer: Peer, origins: readonly Origin[]): void {
    this.#taken.keepOnly(origins);
  }

  routesKnown(): void {
    this.#resumption?.routesKnown();
  }

  // ── after a restart ────────────────────────────────────────────────────────────────────────────────────────────────

  get origins(): readonly Origin[] {
    return this.#parcels?.origins ?? [];
  }

  /** Continues the numbers in the store. Call it before `resume`. */
  begin(store: Store): void {
    this.#parcels?.begin(store.identity());
    this.#taken.restore(store.origins());
    this.#replica.restore(store.retainedStamps(), this.now());
  }

  /**
   * Sends what others had not taken for certain.
   * @param session of the client that waits for PUBREC
   */
  resume(entry: OutboxEntry, message: Message, session: Session | undefined): void {
    this.#resumption?.resume(entry, message, session);
  }

  // ── calls of the bus ───────────────────────────────────────────────────────────────────────────────────────────────

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
    return this.bus.keeperOf(topic);
  }
}
