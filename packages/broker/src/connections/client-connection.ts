// One connection between its transport and its protocol machine: passes bytes in, performs the effects that come out,
// and owns what the machine does not have: the clock, promises, the pausing of reads. connect-flow, publish-flow and
// subscribe-flow decide what an effect means.
import type { BatchWaiter, ForwardBatch, ForwardResult } from "@wrenmq/cluster";
import type { AuthPacket, ConnectPacket, Packet, ReasonCode, SubscribePacket, UnsubscribePacket } from "@wrenmq/codec";
import { ReasonCode as Code } from "@wrenmq/codec";
import type { ClientInfo } from "@wrenmq/plugin-api";
import {
  type ConnectAnswer,
  type ConnectionEnd,
  ConnectionState,
  type Effects,
  type Message,
  type Millis,
  NEVER,
  Outbox,
  type OutboxOwner,
  PARKED,
  type Parkable,
  PUBLISH_PARKED,
  type ReauthenticateAnswer,
  ServerConnection,
} from "@wrenmq/protocol";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";
import type { AuthorizationCache } from "../access/authorization-cache.ts";
import type { PublishDecision } from "../access/publish-policy.ts";
import { PublishWaits } from "../routing/publish-waits.ts";
import { RetainedDeliveries } from "../routing/retained-deliveries.ts";
import type { RetainedDelivery } from "../routing/retained-delivery.ts";
import type { Timer } from "../runtime/timers.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { ConnectFlow, type ConnectingClient } from "./connect-flow.ts";
import { endConversation } from "./disconnect-flow.ts";
import { concludePublish, type Publisher, publish } from "./publish-flow.ts";
import { RateLimit } from "./rate-limit.ts";
import type { ListenerScope } from "./services.ts";
import { type Subscriber, subscribe, unsubscribe } from "./subscribe-flow.ts";

/** Milliseconds that a client with unread bytes has to read its DISCONNECT. */
const LAST_PACKET_GRACE = 3_000;
/** Bytes that may follow a CONNECT before reading is paused. */
const STRANGERS_BUFFER = 65_536;

export class ClientConnection
  implements ConnectionHandler, Effects, OutboxOwner, ConnectingClient, Publisher, Subscriber, BatchWaiter
{
  /** That of the listener; another one while the client is traced. */
  scope: ListenerScope;
  readonly transport: Connection;
  readonly machine: ServerConnection;
  readonly outbox: Outbox;
  /** Set by CONNECT; not used before. */
  client!: ClientInfo;
  /** Set when the client has its session; packets that use it cannot come before. */
  entry!: SessionEntry;
  access!: AuthorizationCache;
  /** False when the transport is closed. */
  isAttached: boolean = true;
  /** Called when the transport is closed. */
  whenClosed: (() => void) | undefined = undefined;
  /** Until CONNACK, and later if the client may authenticate again. */
  #connectFlow: ConnectFlow | undefined = undefined;
  #timer: Timer | undefined;
  #credentialsTimer: Timer | undefined;
  #paused = false;
  /** The client has sent more messages, or bytes, in a second than its limit allows. */
  #holdsForRate = false;
  #slowed = false;
  #retained: RetainedDeliveries | undefined;
  #holdsForPeers = false;
  #writing = false;
  #watchesKeepAlive = false;
  #end: ConnectionEnd | undefined;
  #messageRate: RateLimit | undefined;
  #byteRate: RateLimit | undefined;
  #tellReceived: ((packet: Packet) => void) | undefined;
  #tellSent: ((packet: Packet) => void) | undefined;
  #waits: PublishWaits | undefined;
  bytesReceived: number = 0;
  bytesSent: number = 0;

  constructor(transport: Connection, scope: ListenerScope, now: Millis) {
    this.transport = transport;
    this.scope = scope;
    this.outbox = new Outbox(scope.broker.arena, this);
    this.machine = new ServerConnection(scope.settings, this, this.outbox, now);
    const { limits } = scope;
    if (limits.messageRate > 0) this.#messageRate = new RateLimit(limits.messageRate, now);
    if (limits.byteRate > 0) this.#byteRate = new RateLimit(limits.byteRate, now);
    this.#watchConnectTime(now);
  }

  // ── transport events ──────────────────────────────────────────────────────────────────────────────────────────────

  data(bytes: Uint8Array, start: number, end: number): void {
    const now = this.scope.broker.clock.now();
    const { zeroCopyBatch, latencyProbe } = this.scope.broker;
    const isSampled = latencyProbe?.begin(now) === true;
    this.bytesReceived += end - start;
    zeroCopyBatch.begin(bytes);
    try {
      this.machine.receive(bytes, start, end, now);
    } catch (error) {
      this.#crashed(error);
    }
    zeroCopyBatch.end();
    if (isSampled) latencyProbe.end();
    if (!this.#watchesKeepAlive) this.#begin();
    if (this.#byteRate !== undefined) this.#slowDown(this.#byteRate.take(end - start, now));
    if (this.machine.waits || this.#isFlooded) {
      this.#updatePause();
      // A transport that delivers although it was paused. Bytes in transit may be a packet of the largest size.
      const { limits } = this.scope;
      if (this.machine.buffered > limits.maxBuffered + limits.maximumPacketSize) {
        this.machine.closeLink(Code.QuotaExceeded, "too much was sent while an answer was due");
      }
    }
  }

  drain(): void {
    this.#writing = false;
    this.outbox.drained();
    this.#caughtUp();
    // Within a turn there may be facts that are not durable: output that depends on them waits for its end.
    if (this.scope.broker.factLog === undefined) this.flush();
    else this.outputReady();
    if (this.#paused) this.#updatePause();
  }

  closed(error: Error | undefined): void {
    try {
      this.machine.lost(this.scope.broker.clock.now());
    } catch (defect) {
      this.#crashed(defect);
    }
    this.#finish({
      reasonCode: Code.UnspecifiedError,
      by: "client",
      reason: error === undefined ? "connection closed without DISCONNECT" : `connection lost: ${error.message}`,
    });
    this.#timer?.cancel();
    this.outbox.discard();
    this.outbox.drained();
    this.isAttached = false;
    this.scope.connectionClosed(this.transport.id);
    this.whenClosed?.();
  }

  // ── output ────────────────────────────────────────────────────────────────────────────────────────────────────────

  outputReady(): void {
    this.scope.broker.flusher.add(this);
  }

  outputLarge(): void {
    // With facts that are not durable nothing may be sent before the end of the turn.
    if (this.scope.broker.factLog?.isPending !== true) this.#write();
  }

  mayWaitIn(bytes: Uint8Array): boolean {
    return this.scope.broker.zeroCopyBatch.mayWait(bytes, this.outbox);
  }

  outputThrough(bytes: Uint8Array, start: number, end: number): number {
    const { transport, outbox } = this;
    const { factLog, counters } = this.scope.broker;
    if (transport.tryWrite === undefined || factLog?.isPending === true) return 0;
    this.#write();
    if (outbox.backlog > 0) return 0;
    const taken = transport.tryWrite(bytes, start, end);
    counters.bytesSent += taken;
    this.bytesSent += taken;
    return taken;
  }

  flush(): void {
    const { outbox } = this;
    if (this.#writing || outbox.holds > 0) return;
    const { pending } = outbox;
    this.#write();
    if (this.#paused) this.#updatePause();
    if (this.#end !== undefined) this.transport.end();
    else if (!this.#writing && (this.#retained !== undefined || pending > this.scope.limits.highWater))
      this.#caughtUp();
  }

  #write(): void {
    const { outbox } = this;
    const { pending } = outbox;
    if (pending === 0 || this.#writing || outbox.holds > 0) return;
    this.scope.broker.counters.bytesSent += pending;
    this.bytesSent += pending;
    const consumed = this.transport.write(outbox.take());
    outbox.taken(consumed);
    this.#writing = !consumed;
  }

  /** There is room again for what had to wait. */
  #caughtUp(): void {
    if (this.#end !== undefined) return;
    try {
      const now = this.scope.broker.clock.now();
      (this.entry as SessionEntry | undefined)?.session.pump(now);
      this.#deliverRetained(now);
    } catch (error) {
      this.#crashed(error);
    }
  }

  // ── effects ───────────────────────────────────────────────────────────────────────────────────────────────────────

  connect(packet: ConnectPacket, now: Millis): Parkable<ConnectAnswer> {
    this.#connectFlow = new ConnectFlow(this);
    return this.#parkable(this.#connectFlow.begin(packet, now), (answer, then) => this.#connectResolved(answer, then));
  }

  continueConnect(packet: AuthPacket, _now: Millis): Parkable<ConnectAnswer> {
    const flow = this.#connectFlow as ConnectFlow;
    return this.#parkable(flow.continue(packet), (answer, then) => this.#connectResolved(answer, then));
  }

  reauthenticate(packet: AuthPacket, _now: Millis): Parkable<ReauthenticateAnswer> {
    const flow = this.#connectFlow as ConnectFlow;
    return this.#parkable(flow.reauthenticate(packet), (answer, then) =>
      this.machine.reauthenticateResolved(answer, then),
    );
  }

  publish(message: Message, packetId: number, now: Millis): number {
    if (this.#messageRate !== undefined) this.#holdPublishesFor(this.#messageRate.take(1, now));
    return publish(this, message, packetId, now);
  }

  subscribe(packet: SubscribePacket, _now: Millis): Parkable<readonly ReasonCode[]> {
    return this.#parkable(subscribe(this, packet), (codes, then) => this.machine.subscribeResolved(codes, then));
  }

  subscribed(now: Millis): void {
    this.#deliverRetained(now);
  }

  unsubscribe(packet: UnsubscribePacket, _now: Millis): Parkable<readonly ReasonCode[]> {
    return unsubscribe(this, packet);
  }

  get packetReceived(): ((packet: Packet) => void) | undefined {
    if (this.scope.chain.observe.packetReceived === undefined) return undefined;
    this.#tellReceived ??= this.#teller("packetReceived");
    return this.#tellReceived;
  }

  get packetSent(): ((packet: Packet) => void) | undefined {
    if (this.scope.chain.observe.packetSent === undefined) return undefined;
    this.#tellSent ??= this.#teller("packetSent");
    return this.#tellSent;
  }

  /**
   * The closure is made here: the getters are called for every packet, and a closure in them would cost a context each
   * time.
   */
  #teller(event: "packetReceived" | "packetSent"): (packet: Packet) => void {
    return (packet) => this.scope.chain.observe[event]?.(this.client, packet);
  }

  /** Called by the machine. */
  close(end: ConnectionEnd): void;
  /** Called by the registry and by operators. */
  close(reasonCode: ReasonCode, reasonString?: string, serverReference?: string): void;
  close(how: ConnectionEnd | ReasonCode, reasonString?: string, serverReference?: string): void {
    if (typeof how === "number") {
      this.machine.closeLink(how, reasonString, serverReference);
      return;
    }
    this.#finish(how);
    this.outputReady();
    // A client that does not read would keep its connection for ever: the last packet waits behind unread bytes.
    if (this.#writing || this.outbox.holds > 0) this.#destroyLater();
  }

  takenOver(): void {
    this.machine.closeLink(Code.SessionTakenOver);
    // The machine may be closed already with its session still attached; the registry must be told.
    this.#finish({ reasonCode: Code.SessionTakenOver, by: "server", reason: "session taken over" });
  }

  // ── for the flows ─────────────────────────────────────────────────────────────────────────────────────────────────

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  get waits(): PublishWaits {
    this.#waits ??= new PublishWaits(this, this.entry.session);
    return this.#waits;
  }

  admitted(entry: SessionEntry, access: AuthorizationCache): void {
    this.entry = entry;
    this.access = access;
  }

  parkPublish(decision: Promise<PublishDecision>, packetId: number): number {
    const sample = this.scope.broker.latencyProbe?.park();
    decision.then(
      (answer) => {
        sample?.resume();
        try {
          const now = this.scope.broker.clock.now();
          this.machine.publishResolved(concludePublish(this, answer, packetId, now), now);
        } catch (error) {
          this.#crashed(error);
        }
        sample?.end();
        this.#updatePause();
      },
      (error: unknown) => {
        this.#crashed(error);
        sample?.resume();
        sample?.end();
      },
    );
    return PUBLISH_PARKED;
  }

  pauseForPeers(): void {
    if (this.#holdsForPeers) return;
    this.#holdsForPeers = true;
    this.#updateHold();
    this.scope.broker.router.forwarder.whenRelieved(() => {
      this.#holdsForPeers = false;
      this.#updateHold();
    });
  }

  /** Acknowledges messages that were taken. */
  acknowledge(packetIds: readonly number[], reasonCode: number): void {
    const { machine } = this;
    // Also after the end of the connection: its session may be on another one, where the client waits.
    for (const packetId of packetIds) machine.publishSettled(packetId, reasonCode);
    if (machine.waits) this.#proceed();
  }

  isHeld(packetId: number): boolean {
    return this.entry.session.inbound?.has(packetId) === true;
  }

  /** Another broker has answered for messages. */
  batchSettled(batch: ForwardBatch, from: number, count: number, result: ForwardResult): void {
    this.scope.broker.ackBarrier.batchSettled(batch, from, count, result, this);
  }

  /** Another broker serves the client: ends what was begun here, without a trace. */
  discardHandedOver(): void {
    this.scope.broker.counters.connectionsAccepted--;
    this.closed(undefined);
  }

  credentialsExpireAt(time: Millis | undefined): void {
    this.#credentialsTimer?.cancel();
    this.#credentialsTimer = undefined;
    if (time === undefined || time === NEVER) return;
    this.#credentialsTimer = this.scope.broker.timers.at(time, () =>
      this.machine.closeLink(Code.NotAuthorized, "the credentials have expired"),
    );
  }

  scheduleRetained(delivery: RetainedDelivery): void {
    this.#retained ??= new RetainedDeliveries(this.entry, () => this.#caughtUp());
    this.#retained.add(delivery);
  }

  get scheduledRetained(): number {
    return this.#retained?.size ?? 0;
  }

  #deliverRetained(now: Millis): void {
    const outcome = this.#retained?.run(now);
    if (outcome === "done") this.#retained = undefined;
    else if (outcome === "burst") this.outputReady();
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #connectResolved(answer: ConnectAnswer, now: Millis): void {
    this.machine.connectResolved(answer, now);
    this.#begin();
  }

  /** The client is accepted: its keep alive replaces the connect timeout. [MQTT-3.1.2-22] */
  #begin(): void {
    if (this.#watchesKeepAlive || this.machine.state !== ConnectionState.Connected) return;
    this.#watchesKeepAlive = true;
    // Nothing keeps the CONNECT packet, with its password, for as long as the connection lasts.
    if (this.#connectFlow?.mayAuthenticateAgain === false) this.#connectFlow = undefined;
    // The timer for CONNECT goes on to the first look at the keep-alive, unless that is due sooner: thousands may come at
    // once, and a timer each is enough.
    if (this.#timer === undefined || this.machine.keepAliveDeadline < this.#timer.time) this.watchKeepAlive();
  }

  /** A value now, or PARKED and the value later, if the connection is still open then. */
  #parkable<T>(value: T | Promise<T>, resolved: (value: T, now: Millis) => void): Parkable<T> {
    if (!(value instanceof Promise)) return value;
    value.then(
      (answer) => this.#resume(() => resolved(answer, this.scope.broker.clock.now())),
      (error: unknown) => this.#crashed(error),
    );
    return PARKED;
  }

  #resume(answer: () => void): void {
    if (!this.isOpen) return;
    try {
      answer();
    } catch (error) {
      this.#crashed(error);
    }
    this.#updatePause();
  }

  /**
   * Messages for a client that does not read wait in its session, answers wait here: reading is paused when there are
   * too many.
   */
  get #isFlooded(): boolean {
    const { outbox } = this;
    return outbox.answers > this.scope.limits.maxBuffered && (this.#writing || outbox.holds > 0);
  }

  /** The client has sent more bytes than its rate allows: reading is paused for a while. */
  #slowDown(wait: Millis): void {
    if (wait <= 0 || this.#slowed) return;
    this.#slowed = true;
    this.#after(wait, () => {
      this.#slowed = false;
      this.#updatePause();
    });
    this.#updatePause();
  }

  /** The client has sent more messages than its rate allows: the next one waits. */
  #holdPublishesFor(wait: Millis): void {
    if (wait <= 0 || this.#holdsForRate) return;
    this.#holdsForRate = true;
    this.#updateHold();
    this.#after(wait, () => {
      this.#holdsForRate = false;
      this.#updateHold();
    });
  }

  #after(wait: Millis, callback: () => void): void {
    const { timers, clock } = this.scope.broker;
    timers.at(clock.now() + wait, callback);
  }

  #updateHold(): void {
    this.machine.holdsPublishes = this.#holdsForPeers || this.#holdsForRate;
    if (!this.machine.holdsPublishes && this.machine.waits) this.#proceed();
  }

  /** Processes what waits. */
  #proceed(): void {
    if (!this.isOpen) return;
    try {
      this.machine.proceed(this.scope.broker.clock.now());
    } catch (error) {
      this.#crashed(error);
    }
    this.#updatePause();
  }

  /**
   * Reading is paused only when too much waits or is not read by the client: acknowledgements and the end must be seen.
   */
  #updatePause(): void {
    const { machine } = this;
    const wanted =
      this.isOpen &&
      (this.#slowed || machine.leaving || (machine.waits && machine.buffered >= this.#bufferLimit) || this.#isFlooded);
    if (wanted === this.#paused) return;
    this.#paused = wanted;
    if (wanted) this.transport.pause();
    else this.transport.resume();
  }

  /** Bytes that may wait before reading is paused. Before CONNACK the bound is lower. */
  get #bufferLimit(): number {
    const { maxBuffered } = this.scope.limits;
    return this.machine.state === ConnectionState.Connected ? maxBuffered : Math.min(maxBuffered, STRANGERS_BUFFER);
  }

  #checkDeadline(now: Millis): void {
    if (!this.isOpen) return;
    const { machine } = this;
    if (machine.state !== ConnectionState.Connected) {
      // The time limit is for the client: it does not run while plugins are awaited.
      if (machine.parked) this.#watchConnectTime(now);
      else machine.expire(Code.MaximumConnectTime);
      return;
    }
    // While reading is paused nothing can arrive, so keep alive does not run, unless it is paused because the client
    // does not read.
    if (this.#paused && !(this.#isFlooded && this.#writing)) machine.lastReceived = now;
    const deadline = machine.keepAliveDeadline;
    if (deadline <= now) machine.expire(Code.KeepAliveTimeout);
    else this.watchKeepAlive();
  }

  #watchConnectTime(now: Millis): void {
    const { broker, limits } = this.scope;
    this.#timer = broker.timers.at(now + limits.connectTimeout, (then) => this.#checkDeadline(then));
  }

  #destroyLater(): void {
    const { timers, clock } = this.scope.broker;
    this.#timer = timers.at(clock.now() + LAST_PACKET_GRACE, () => this.transport.destroy());
  }

  watchKeepAlive(): void {
    this.#timer?.cancel();
    const deadline = this.machine.keepAliveDeadline;
    this.#timer =
      deadline === NEVER ? undefined : this.scope.broker.timers.at(deadline, (then) => this.#checkDeadline(then));
  }

  /** The connection has ended for MQTT, whatever the transport still has to send. Once. */
  #finish(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#connectFlow?.abandon();
    this.#timer?.cancel();
    this.#credentialsTimer?.cancel();
    this.#retained = undefined;
    if (this.#paused) {
      this.#paused = false;
      this.transport.resume();
    }
    endConversation(this, end);
  }

  /** A defect of the broker or of a plugin closes this connection and nothing else. */
  #crashed(error: unknown): void {
    this.scope.broker.logger.error({ err: error, clientId: this.client?.clientId }, "a connection failed");
    if (this.isOpen) this.machine.closeLink(Code.UnspecifiedError);
    if (this.isOpen) this.transport.destroy();
  }
}
