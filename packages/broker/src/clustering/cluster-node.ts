// This broker as one of several that act as one: sends messages to the peers that want them, delivers what comes from
// them, keeps retained messages the same everywhere.
import {
  type ClusterBus,
  ForwardResult,
  ForwardRun,
  type ForwardTarget,
  ForwardTicket,
  homeOf,
  type LocalNode,
  type Peer,
  type RetainedFact,
  type RunWaiter,
} from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { Arena, Message, Millis, Session, TopicTable } from "@wrenmq/protocol";
import type { BrokerCore } from "../core.ts";
import type { Metrics } from "../reporting/metrics.ts";
import type { Router } from "../routing/router.ts";
import type { SharedGroup } from "../routing/shared-groups.ts";
import type { Flushable } from "../runtime/flusher.ts";
import type { SessionEntry } from "../sessions/session-registry.ts";
import { LocalInterest } from "./local-interest.ts";
import { RetainedReplica } from "./retained-replica.ts";

/** What most messages are sent with. */
const PLAIN: ForwardTarget = { plain: true, groups: undefined, retainedAt: 0 };
/** What a peer is to be told of a message, as soon as it is known. */
interface Answer {
  readonly peer: Peer;
  readonly sequence: number;
  readonly qos: number;
  result: ForwardResult;
}
/** Metrics of which every broker has the same, or that do not add up. */
const NOT_SUMMED: readonly string[] = ["retained", "retainedBytes", "uptimeSeconds"];

export class ClusterNode implements LocalNode {
  readonly bus: ClusterBus;
  readonly arena: Arena;
  readonly topics: TopicTable;
  readonly durable: boolean;
  /** Whose message is published next, if it can wait for a run; for one message only. */
  waiter: RunWaiter | undefined = undefined;
  /** What was sent last with somebody waiting, and to whom: more can join it, as long as nothing else comes between. */
  #run: ForwardRun | undefined;
  #runPeer: Peer | undefined;
  readonly #core: BrokerCore;
  readonly #router: Router;
  readonly #interest: LocalInterest;
  readonly #replica: RetainedReplica;

  constructor(bus: ClusterBus, core: BrokerCore, hasStore: boolean) {
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

  /** Is this the broker that tells of all? */
  get isFirst(): boolean {
    return this.bus.peers.every((peer) => !peer.up || peer.id > this.bus.self);
  }

  /** Does this broker write down the topic's retained message? */
  keeps(topic: string): boolean {
    return this.#keeper(topic) === this.bus.self;
  }

  sessionChanged(entry: SessionEntry): void {
    this.#interest.changed(entry);
  }

  /** The numbers of all, for the one that tells of them; the others get to know ours. */
  gather(own: Metrics): Metrics {
    this.bus.shareMetrics(own);
    const sum: Record<string, number> = { ...own };
    for (const metrics of this.bus.metrics()) {
      for (const [name, value] of Object.entries(metrics)) {
        if (!NOT_SUMMED.includes(name)) sum[name] = (sum[name] ?? 0) + value;
      }
    }
    return sum;
  }

  /** Each step a little of it. */
  sweep(now: Millis): Iterable<void> {
    return this.#replica.sweep(
      now,
      this.bus.peers.every((peer) => peer.up),
    );
  }

  // ── from here to the peers ────────────────────────────────────────────────────────────────────────────────────────

  /** Like `Router.publish`, for everybody's subscribers. `router.forwarding` is what an acknowledgement has to wait for. */
  publish(message: Message, now: Millis): ReasonCode {
    const router = this.#router;
    const { waiter } = this;
    this.waiter = undefined;
    router.forwarding = undefined;
    router.peerBackpressure = false;
    const route = router.routes.find(message.target);
    const { peers } = route;
    // Before anybody gets it: at QoS 2 whoever had it would get it twice when it is sent again.
    if (peers !== undefined && message.qos > 0 && this.#isAnyFull(peers, message)) return ReasonCode.QuotaExceeded;
    let retainedAt = 0;
    if (message.retain) {
      const refused = router.setRetained(message);
      if (refused !== undefined) return refused;
      retainedAt = this.#stamped(message, now);
    }
    router.deliverAll(route.recipients, message, now);
    let isWantedHere = route.recipients.length > 0;
    let elsewhere: Map<Peer, string[]> | undefined;
    for (const group of route.groups) {
      const peer = group.chooseSide(message.publisher, this.bus.self);
      if (peer !== undefined) elsewhere = withGroup(elsewhere, peer, group);
      else {
        router.deliverShared(group, message, now);
        isWantedHere = true;
      }
    }
    if (waiter !== undefined && peers?.length === 1 && elsewhere === undefined && retainedAt === 0 && this.#isAlone) {
      this.#forwardInRun(message, peers[0] as Peer, waiter, isWantedHere);
    } else if (peers !== undefined || elsewhere !== undefined || retainedAt > 0) {
      this.#forward(message, peers, elsewhere, retainedAt, isWantedHere);
    }
    const isWanted = isWantedHere || peers !== undefined || elsewhere !== undefined;
    return isWanted ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers;
  }

  /** Sets or clears a retained message everywhere, without sending it to anybody. @returns a refusal, if it is one */
  retain(message: Message, now: Millis): ReasonCode | undefined {
    const refused = this.#router.setRetained(message);
    if (refused === undefined) this.#forward(message, undefined, undefined, this.#stamped(message, now), false);
    return refused;
  }

  #stamped(message: Message, now: Millis): number {
    const stamp = this.#replica.stamp(now);
    this.#replica.changed(message.topic, stamp, message.payloadLength > 0, now);
    return stamp;
  }

  #isAnyFull(peers: readonly Peer[], message: Message): boolean {
    for (const peer of peers) if (!peer.up && this.bus.isFull(peer, message)) return true;
    return false;
  }

  /** Is there nothing that the publisher has to wait for but peers? */
  get #isAlone(): boolean {
    return this.#router.congested === undefined && this.#router.pendingAuthorization === undefined;
  }

  /** Most messages that cross go to one peer: those of one publisher that follow each other share a ticket. */
  #forwardInRun(message: Message, peer: Peer, waiter: RunWaiter, isWantedHere: boolean): void {
    const { bus } = this;
    const router = this.#router;
    let run: ForwardRun | undefined;
    if (message.qos > 0) {
      run = this.#run;
      if (run?.isOpen !== true || run.waiter !== waiter || this.#runPeer !== peer || run.peersOnly === isWantedHere) {
        run = new ForwardRun(waiter, !isWantedHere);
        this.#run = run;
        this.#runPeer = peer;
      }
      router.forwarding = run;
    }
    bus.forward(peer, message, PLAIN, run);
    if (bus.congested) router.peerBackpressure = true;
  }

  #forward(
    message: Message,
    wanting: readonly Peer[] | undefined,
    elsewhere: Map<Peer, string[]> | undefined,
    retainedAt: number,
    isWantedHere: boolean,
  ): void {
    const { bus } = this;
    const router = this.#router;
    const ticket = message.qos > 0 ? new ForwardTicket() : undefined;
    this.#run = undefined;
    for (const peer of retainedAt > 0 || elsewhere !== undefined ? bus.peers : (wanting ?? [])) {
      const plain = wanting?.includes(peer) === true;
      const groups = elsewhere?.get(peer);
      if (!plain && groups === undefined) {
        // A peer that is away hears of retained messages when it comes; only who writes this one down has to be waited for.
        if (retainedAt === 0 || (!peer.up && this.#keeper(message.topic) !== peer.id)) continue;
      }
      const target = groups === undefined && retainedAt === 0 ? PLAIN : { plain, groups, retainedAt };
      bus.forward(peer, message, target, ticket);
    }
    if (ticket !== undefined && (ticket.waiting > 0 || ticket.refused)) {
      ticket.peersOnly = !isWantedHere;
      router.forwarding = ticket;
    }
    if (bus.congested) router.peerBackpressure = true;
  }

  // ── from the peers ────────────────────────────────────────────────────────────────────────────────────────────────

  deliver(peer: Peer, message: Message, target: ForwardTarget, sequence: number, now: Millis): ForwardResult {
    const router = this.#router;
    const { factLog } = this.#core;
    // At QoS 2 others may have got it already: it must not be sent again, and is taken and answered when the store is well.
    if (factLog?.failing !== undefined && sequence >= 0 && message.qos === 1) return ForwardResult.Refused;
    router.beginPublish();
    const before = factLog?.recorded;
    const { retainedAt, groups } = target;
    if (retainedAt > 0 && !this.#retainFrom(message, retainedAt, now)) return ForwardResult.Refused;
    let isWanted = false;
    if (target.plain) {
      const { recipients } = router.routes.find(message.target);
      router.deliverAll(recipients, message, now);
      isWanted = recipients.length > 0;
    }
    let ticket: ForwardTicket | undefined;
    if (groups !== undefined) {
      for (const filter of groups) {
        const group = router.routes.group(filter);
        if (group?.hasMembers === true) {
          router.deliverShared(group, message, now);
          isWanted = true;
        } else {
          // The last member here has left while the message was under way.
          const other = group?.chooseSide(message.publisher, this.bus.self);
          if (other === undefined) continue;
          if (sequence >= 0) ticket ??= new ForwardTicket();
          this.#run = undefined;
          this.bus.forward(other, message, { plain: false, groups: [filter], retainedAt: 0 }, ticket);
        }
      }
    }
    const result = isWanted ? ForwardResult.Received : ForwardResult.Nobody;
    const { congested, pendingAuthorization } = router;
    router.beginPublish();
    if (sequence < 0) return result;
    const isWritten = before === factLog?.recorded || factLog?.isSettled === true;
    if (congested === undefined && pendingAuthorization === undefined && (ticket?.waiting ?? 0) === 0 && isWritten)
      return result;
    this.#answerLater({ peer, sequence, qos: message.qos, result }, congested, pendingAuthorization, ticket);
    return ForwardResult.Later;
  }

  /** When plugins have thought, the session has caught up, other peers have answered, and all is written down. */
  #answerLater(
    answer: Answer,
    congested: Session | undefined,
    pendingAuthorization: readonly Promise<Session | undefined>[] | undefined,
    ticket: ForwardTicket | undefined,
  ): void {
    if (pendingAuthorization !== undefined) {
      void Promise.all(pendingAuthorization).then((sessions) => {
        const behind = congested ?? sessions.find((session) => session !== undefined);
        this.#answerLater(answer, behind, undefined, ticket);
      });
    } else if (congested !== undefined) {
      congested.whenRelieved(() => this.#answerLater(answer, undefined, undefined, ticket));
    } else if (ticket !== undefined && ticket.waiting > 0) {
      ticket.whenSettled = () => this.#answerLater(answer, undefined, undefined, ticket);
    } else {
      if (ticket?.received === true) answer.result = ForwardResult.Received;
      if (ticket?.refused === true) answer.result = ForwardResult.Refused;
      this.#answerWhenDurable(answer);
    }
  }

  #answerWhenDurable(answer: Answer): void {
    const { factLog } = this.#core;
    if (factLog === undefined || factLog.isSettled) this.#answer(answer);
    else {
      factLog.whenDurable((error) => {
        if (error === undefined) this.#answer(answer);
        // It is on its way already and will be in the store when that recovers: at QoS 2 it must not be sent again.
        else if (answer.qos === 2) factLog.whenRecovered(() => this.#answerWhenDurable(answer));
        else this.#answer({ ...answer, result: ForwardResult.Refused });
      });
    }
  }

  #answer({ peer, sequence, result }: Answer): void {
    this.bus.acknowledge(peer, sequence, result);
  }

  /** @returns false: there is no room for it */
  #retainFrom(message: Message, stamp: number, now: Millis): boolean {
    const { topic } = message;
    if (!this.#replica.supersedes(topic, stamp)) return true;
    const isSet = message.payloadLength > 0;
    if (!this.#router.replicateRetained(message)) return false;
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
    this.#core.logger.warn({ error: error.message }, "trouble between brokers");
  }

  #keeper(topic: string): number {
    return homeOf(topic, this.bus.peers.length + 1);
  }
}

function withGroup(elsewhere: Map<Peer, string[]> | undefined, peer: Peer, group: SharedGroup): Map<Peer, string[]> {
  const groups = elsewhere ?? new Map<Peer, string[]>();
  const filters = groups.get(peer);
  if (filters === undefined) groups.set(peer, [group.filter]);
  else filters.push(group.filter);
  return groups;
}
