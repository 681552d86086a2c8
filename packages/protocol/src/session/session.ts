// What outlives a connection: subscriptions, outgoing messages, QoS 2 identifiers of incoming ones, the will. It
// decides what is sent when. No sockets, no clock, no other sessions.
import { PacketType, ReasonCode, type Will } from "@wrenmq/codec";
import type { DropReason } from "../counters.ts";
import type { Message } from "../message/message.ts";
import type { Millis, Seconds } from "../time.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import type { SubscriptionRecord } from "./facts.ts";
import { HeldIdentifiers } from "./held-identifiers.ts";
import type { Link } from "./link.ts";
import { AckKind as Ack, type AckKind, OUTBOUND_NEXT, OutboundState } from "./outbound-transitions.ts";
import { OutboundWindow } from "./outbound-window.ts";
import { QueuePressure } from "./queue-pressure.ts";
import type { FactSinkOf, SessionEventsOf } from "./session-events.ts";
import { DeliveryResult, type SessionLimits } from "./session-limits.ts";
import { type LoadPage, SessionQueue } from "./session-queue.ts";

export type SessionEvents = SessionEventsOf<Session>;
export type FactSink = FactSinkOf<Session>;

export interface SessionOptions {
  readonly clientId: string;
  readonly limits: SessionLimits;
  readonly events: SessionEvents;
}

const NO_SUBSCRIPTIONS: ReadonlyMap<string, SubscriptionRecord> = new Map();

export class Session {
  readonly clientId: string;
  username: string | undefined = undefined;
  /** Seconds after the end of the connection; Infinity never expires. */
  expiryInterval: Seconds = 0;
  /** undefined while connected. */
  disconnectedAt: Millis | undefined = undefined;
  will: Will | undefined = undefined;
  #subscriptions: Map<string, SubscriptionRecord> | undefined = undefined;
  /** Characters of the filters of all subscriptions. */
  filterCharacters: number = 0;
  link: Link | undefined = undefined;
  readonly window: OutboundWindow = new OutboundWindow();
  queue: SessionQueue | undefined = undefined;
  /** Inbound QoS 2 packet identifiers whose PUBREL has not arrived. [MQTT-4.3.3-10] */
  inbound: HeldIdentifiers | undefined = undefined;
  /** Set for a stored session. */
  facts: FactSink | undefined = undefined;
  loadPage: LoadPage | undefined = undefined;
  nextSeq: number = 1;
  /** Those of the listener that its client has used last. */
  limits: SessionLimits;
  readonly #events: SessionEvents;
  /** Packet identifiers in flight that were not sent on this connection yet. */
  #toResend: number[] | undefined = undefined;
  /** Made when its queue is at the bound for the first time. */
  #pressure: QueuePressure | undefined = undefined;

  constructor(options: SessionOptions) {
    this.clientId = options.clientId;
    this.limits = options.limits;
    this.#events = options.events;
  }

  get subscriptions(): ReadonlyMap<string, SubscriptionRecord> {
    return this.#subscriptions ?? NO_SUBSCRIPTIONS;
  }

  setSubscription(filter: string, record: SubscriptionRecord): void {
    this.#subscriptions ??= new Map();
    const { size } = this.#subscriptions;
    this.#subscriptions.set(filter, record);
    if (this.#subscriptions.size > size) this.filterCharacters += filter.length;
  }

  /** @returns was there one? */
  deleteSubscription(filter: string): boolean {
    if (this.#subscriptions?.delete(filter) !== true) return false;
    this.filterCharacters -= filter.length;
    return true;
  }

  get queued(): number {
    return this.queue?.length ?? 0;
  }

  /** Is the queue at its bound? */
  get congested(): boolean {
    return this.queue !== undefined && this.#isOver(this.queue);
  }

  /** May more be queued, without holding a publisher and without loss? */
  get hasRoom(): boolean {
    return !this.congested && this.keepsUp;
  }

  /** Since when publishers wait for this session; undefined: none does. */
  get congestedSince(): Millis | undefined {
    return this.#pressure?.congestedSince;
  }

  /**
   * False: it has held publishers for too long. New messages are dropped until its queue is below half of its bound.
   */
  get keepsUp(): boolean {
    return this.#pressure?.missed === undefined;
  }

  /**
   * Sends, queues or drops a message.
   * @returns bits of `DeliveryResult`
   */
  deliver(message: Message, options: DeliveryOptions, now: Millis): number {
    const qos = options.qos;
    const link = this.link;
    if (qos === 0) {
      if (link === undefined) this.#events.dropped(this, message, "offline");
      else if (link.blocked) this.#events.dropped(this, message, "blocked");
      else if (link.publish(message, 0, options.retain, false, 0, options.subscriptionIdentifiers, now)) {
        if (this.#events.delivered !== undefined) this.#events.delivered(this, message, options, false);
      } else this.#events.dropped(this, message, "tooLarge");
      return 0;
    }
    const isFirst = this.queue === undefined || this.queue.length === 0;
    if (link !== undefined && isFirst && this.#mayStart(link) && this.#isTaken(Number.POSITIVE_INFINITY)) {
      this.#start(link, message, options, undefined, now);
      return this.facts === undefined ? 0 : DeliveryResult.Recorded;
    }
    return this.#enqueue(message, qos, options, now);
  }

  /** A connection for this session: sends again what was in flight, then what waits. [MQTT-4.4.0-1] */
  attach(link: Link, now: Millis): void {
    this.link = link;
    this.disconnectedAt = undefined;
    this.#toResend = undefined;
    for (const [packetId, state] of this.window.entries()) {
      if (state === OutboundState.AwaitPubcomp) link.ack(PacketType.Pubrel, packetId, 0);
      else {
        this.#toResend ??= [];
        this.#toResend.push(packetId);
      }
    }
    this.#toResend?.reverse();
    this.pump(now);
  }

  detach(now: Millis): void {
    this.link = undefined;
    this.disconnectedAt = now;
    this.#toResend = undefined;
    this.#pressure?.release();
  }

  /**
   * Sends as much of what waits as the client accepts. Call it after an acknowledgement, and when the socket has
   * drained.
   */
  pump(now: Millis): void {
    const link = this.link;
    if (link === undefined) return;
    if (this.#toResend !== undefined) this.#resend(link, now);
    const queue = this.queue;
    if (queue === undefined) return;
    while (this.#mayStart(link)) {
      const next = queue.peek();
      if (next === undefined || !this.#isTaken(next.seq)) break;
      const mayReceive = queue.unchecked === 0 || this.#events.mayReceive(this, next.message);
      if (mayReceive === undefined) break;
      const delivery = queue.shift() as Delivery;
      if (!mayReceive) this.#drop(delivery, "notAuthorized");
      else if (delivery.message.hasExpired(now)) this.#drop(delivery, "expired");
      else this.#start(link, delivery.message, delivery, delivery, now);
    }
    if (this.#pressure !== undefined) this.#relax(this.#pressure, queue);
  }

  /** The access rules have changed: queued messages are checked again before they are sent. */
  recheckQueue(): void {
    if (this.queue !== undefined) this.queue.unchecked = this.queue.length;
  }

  /** Ends the waiting of publishers: the session does not keep up until its queue is below half of its bound. */
  stopHolding(): void {
    this.#pressure ??= new QueuePressure();
    this.#pressure.missed ??= 0;
    this.#pressure.relieve();
  }

  /** @returns false: the client broke the protocol */
  acknowledge(kind: AckKind, packetId: number, now: Millis): boolean {
    const window = this.window;
    const state = window.state(packetId);
    if (state === 0) {
      // The acknowledgement of an unknown message. A PUBREC needs its PUBREL or the client waits for ever.
      if (kind === Ack.Pubrec) this.link?.ack(PacketType.Pubrel, packetId, this.link.unknownPacketId);
      return true;
    }
    const step = OUTBOUND_NEXT[state][kind];
    if (step === "violation") return false;
    const delivery = window.delivery(packetId);
    if (step === "done") {
      window.settle(packetId);
      if (delivery !== undefined && this.facts !== undefined) this.facts.settled(this, delivery);
      if (this.#events.acknowledged !== undefined) this.#events.acknowledged(this, packetId);
      if (this.queue !== undefined || this.#toResend !== undefined) this.pump(now);
    } else {
      window.advance(packetId, step);
      if (delivery !== undefined && this.facts !== undefined) this.facts.advanced(this, delivery, packetId, step);
      this.link?.ack(PacketType.Pubrel, packetId, 0);
    }
    return true;
  }

  /**
   * Calls back once when publishers need not wait any more: the queue is within its bound, its connection has ended, or
   * `stopHolding`.
   */
  whenRelieved(callback: () => void): void {
    this.#pressure ??= new QueuePressure();
    this.#pressure.whenRelieved(callback);
  }

  /** Calls back once when `hasRoom` is true again, or its connection has ended. */
  whenRoom(callback: () => void): void {
    this.#pressure ??= new QueuePressure();
    this.#pressure.whenRoom(callback);
  }

  /** The session ends: what waits in it is lost, and counted. */
  end(): void {
    const { queue } = this;
    for (const [, state, delivery] of this.window.entries()) {
      // After PUBREC the message has arrived.
      if (delivery !== undefined && state !== OutboundState.AwaitPubcomp)
        this.#events.dropped(this, delivery.message, "sessionEnded");
    }
    // What is only in the store is removed with the session's record, without counting each message.
    while (queue !== undefined && queue.resident > 0) {
      const delivery = queue.shift();
      if (delivery !== undefined) this.#events.dropped(this, delivery.message, "sessionEnded");
    }
    this.queue = undefined;
    // There may be very many, and a publisher's route may keep the session for a while.
    this.#subscriptions = undefined;
    this.filterCharacters = 0;
    this.#pressure?.release();
  }

  /** @param isTold is PUBREC sent at once? Else it waits for the fact anyway */
  holdInbound(packetId: number, isTold: boolean): void {
    this.inbound ??= new HeldIdentifiers();
    this.inbound.add(packetId);
    if (this.facts !== undefined) this.facts.held(this, packetId, isTold);
  }

  /** @returns false: the identifier was not held */
  releaseInbound(packetId: number): boolean {
    if (this.inbound === undefined || !this.inbound.delete(packetId)) return false;
    if (this.facts !== undefined) this.facts.released(this, packetId);
    return true;
  }

  /** The result of a held message that was not acknowledged: its client may be on another connection, or on none. */
  settleInbound(packetId: number, reasonCode: number): void {
    if (this.inbound?.answered(packetId) !== true) return;
    const isTold = this.link?.owner.publishSettled?.(packetId, reasonCode) === true;
    if (!isTold && reasonCode >= 0x80) this.releaseInbound(packetId);
  }

  #mayStart(link: Link): boolean {
    return (
      this.window.size < link.receiveMaximum && this.#toResend === undefined && !this.window.exhausted && !link.blocked
    );
  }

  #isTaken(seq: number): boolean {
    return this.facts?.mayStart === undefined || this.facts.mayStart(this, seq);
  }

  /** Puts a message in flight. `queued` is its delivery if it waited in the queue. */
  #start(link: Link, message: Message, options: DeliveryOptions, queued: Delivery | undefined, now: Millis): void {
    const qos = options.qos as 1 | 2;
    const state = qos === 1 ? OutboundState.AwaitPuback : OutboundState.AwaitPubrec;
    let delivery = queued;
    // What a session that ends with its connection does not get need not be kept, unless another one gets it then.
    const isKept = this.expiryInterval > 0 || (qos === 1 && options.sharedFilter !== undefined);
    if (delivery === undefined && isKept) delivery = this.#delivery(message, qos, options);
    const packetId = this.window.add(state, delivery);
    if (!link.publish(message, qos, options.retain, false, packetId, options.subscriptionIdentifiers, now)) {
      this.window.settle(packetId);
      if (queued !== undefined && this.facts !== undefined) this.facts.settled(this, queued);
      this.#events.dropped(this, message, "tooLarge");
      return;
    }
    if (delivery !== undefined && this.facts !== undefined) {
      if (queued === undefined) this.facts.enqueued(this, delivery, packetId);
      else this.facts.advanced(this, delivery, packetId, state);
    }
    if (this.#events.delivered !== undefined) this.#events.delivered(this, message, options, queued !== undefined);
  }

  #delivery(message: Message, qos: 1 | 2, options: DeliveryOptions): Delivery {
    message.keep();
    const seq = this.facts === undefined ? 0 : this.nextSeq++;
    return new Delivery(message, qos, options.retain, options.subscriptionIdentifiers, seq, options.sharedFilter);
  }

  #enqueue(message: Message, qos: 1 | 2, options: DeliveryOptions, now: Millis): number {
    this.queue ??= new SessionQueue(this.loadPage);
    const queue = this.queue;
    const isOver = this.#isOver(queue);
    const holdsPublisher = isOver && this.link !== undefined && this.limits.overflow === "backpressure";
    const isMissed = this.link !== undefined && !this.keepsUp;
    if (isMissed || (isOver && !holdsPublisher && !this.#makesRoom(queue))) {
      if (this.#pressure?.missed !== undefined) this.#pressure.missed++;
      this.#events.dropped(this, message, "queueFull");
      return 0;
    }
    const delivery = this.#delivery(message, qos, options);
    delivery.queuedAt = Math.floor(now / 1000);
    queue.push(delivery);
    if (this.#events.queued !== undefined) this.#events.queued(this, message, options);
    const recorded = this.facts === undefined ? 0 : DeliveryResult.Recorded;
    if (this.facts !== undefined) this.facts.enqueued(this, delivery, 0);
    if (!holdsPublisher) return recorded;
    this.#pressure ??= new QueuePressure();
    if (this.#pressure.congestedSince === undefined) {
      this.#pressure.congestedSince = now;
      this.#events.congested(this);
    }
    return recorded | DeliveryResult.Congested;
  }

  /**
   * The queue is at its bound and no publisher waits for it.
   * @returns false: new messages are dropped
   */
  #makesRoom(queue: SessionQueue): boolean {
    switch (this.limits.overflow) {
      case "backpressure": // without a connection there is no end to wait for
      case "drop-new":
        return false;
      case "disconnect":
        this.link?.owner.closeLink(ReasonCode.QuotaExceeded, "the queue of this session is full");
        return false;
      case "drop-old": {
        const oldest = queue.shift();
        if (oldest !== undefined) this.#drop(oldest, "queueFull");
        return true;
      }
    }
  }

  /** The queue has become shorter. */
  #relax(pressure: QueuePressure, queue: SessionQueue): void {
    const { missed } = pressure;
    if (missed !== undefined && this.#isBelowHalf(queue)) {
      pressure.missed = undefined;
      this.#events.caughtUp(this, missed);
    }
    if (!pressure.isWaitedFor || this.#isOver(queue)) return;
    if (this.keepsUp) pressure.release();
    else pressure.relieve();
  }

  #isBelowHalf(queue: SessionQueue): boolean {
    return queue.length * 2 < this.limits.maxQueuedMessages && queue.bytes * 2 < this.limits.maxQueuedBytes;
  }

  #isOver(queue: SessionQueue): boolean {
    return queue.length >= this.limits.maxQueuedMessages || queue.bytes >= this.limits.maxQueuedBytes;
  }

  #resend(link: Link, now: Millis): void {
    const ids = this.#toResend as number[];
    let inFlight = this.window.size - ids.length;
    while (ids.length > 0 && inFlight < link.receiveMaximum && !link.blocked) {
      const packetId = ids[ids.length - 1] as number;
      const delivery = this.window.delivery(packetId);
      if (delivery !== undefined && !this.#isTaken(delivery.seq)) return;
      ids.pop();
      if (delivery === undefined) {
        // Acknowledged since, or never stored: there is nothing to send again.
        if (this.window.state(packetId) !== 0) this.window.settle(packetId);
        continue;
      }
      const { message, qos, retain, subscriptionIdentifiers } = delivery;
      if (link.publish(message, qos, retain, true, packetId, subscriptionIdentifiers, now)) inFlight++;
      else {
        this.window.settle(packetId);
        this.#drop(delivery, "tooLarge");
      }
    }
    if (ids.length === 0) this.#toResend = undefined;
  }

  #drop(delivery: Delivery, reason: DropReason): void {
    if (this.facts !== undefined) this.facts.settled(this, delivery);
    this.#events.dropped(this, delivery.message, reason);
  }
}
