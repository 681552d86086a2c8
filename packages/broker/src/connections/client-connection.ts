// One connection between its transport and its protocol machine: hands bytes in, performs the effects that come out,
// and owns what the machine must not know: the clock, promises, the pausing of reads.
import type { ForwardResult, ForwardRun, RunWaiter } from "@wrenmq/cluster";
import type { AuthPacket, ConnectPacket, Packet, ReasonCode, SubscribePacket, UnsubscribePacket } from "@wrenmq/codec";
import { ReasonCode as Code } from "@wrenmq/codec";
import type { AuthenticationExchange, ClientInfo } from "@wrenmq/plugin-api";
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
import type { Listener } from "../listeners/listener.ts";
import { RetainedDeliveries } from "../routing/retained-deliveries.ts";
import type { RetainedDelivery } from "../routing/retained-delivery.ts";
import type { Timer } from "../runtime/timers.ts";
import type { SessionConnection, SessionEntry } from "../sessions/session-registry.ts";
import type { AuthorizationCache } from "./authorization-cache.ts";
import { beginConnect, continueConnect, type PendingConnect, reauthenticate } from "./connect-flow.ts";
import { conclude, type Judged, publish, settleRun } from "./publish-flow.ts";
import { RateLimit } from "./rate-limit.ts";
import { subscribe, unsubscribe } from "./subscribe-flow.ts";

/** Milliseconds that a client which is behind with reading gets to read its DISCONNECT. */
const LAST_WORDS_GRACE = 3_000;

export class ClientConnection implements ConnectionHandler, Effects, OutboxOwner, SessionConnection, RunWaiter {
  readonly context: Listener;
  readonly transport: Connection;
  readonly machine: ServerConnection;
  readonly outbox: Outbox;
  /** Set by `beginConnect`; nobody asks before. */
  client!: ClientInfo;
  entry: SessionEntry | undefined = undefined;
  access: AuthorizationCache | undefined = undefined;
  /** Until the client is admitted. */
  pendingConnect: PendingConnect | undefined = undefined;
  /** Enhanced authentication that is under way. */
  exchange: AuthenticationExchange | undefined = undefined;
  /** Called when the transport is gone. */
  whenClosed: (() => void) | undefined = undefined;
  #timer: Timer | undefined;
  #credentialsTimer: Timer | undefined;
  #paused = false;
  #slowed = false;
  /** Retained messages that are still to be sent for new subscriptions. */
  #replays: RetainedDeliveries | undefined;
  #peerBackpressure = false;
  #writing = false;
  #keepsWatch = false;
  #end: ConnectionEnd | undefined;
  #messageRate: RateLimit | undefined;
  #byteRate: RateLimit | undefined;
  #tellReceived: ((packet: Packet) => void) | undefined;
  #tellSent: ((packet: Packet) => void) | undefined;

  constructor(transport: Connection, context: Listener, now: Millis) {
    this.transport = transport;
    this.context = context;
    this.outbox = new Outbox(context.broker.arena, this);
    this.machine = new ServerConnection(context.settings, this, this.outbox, now);
    const { limits } = context;
    if (limits.messageRate > 0) this.#messageRate = new RateLimit(limits.messageRate, now);
    if (limits.byteRate > 0) this.#byteRate = new RateLimit(limits.byteRate, now);
    this.#timer = context.broker.timers.at(now + limits.connectTimeout, (then) => this.#checkDeadline(then));
  }

  // ── transport events ──────────────────────────────────────────────────────────────────────────────────────────────

  data(bytes: Uint8Array, start: number, end: number): void {
    const now = this.context.broker.clock.now();
    const { zeroCopyBatch } = this.context.broker;
    zeroCopyBatch.begin(bytes);
    try {
      this.machine.receive(bytes, start, end, now);
    } catch (error) {
      this.#crashed(error);
    }
    zeroCopyBatch.end();
    if (!this.#keepsWatch) this.#begin();
    if (this.#byteRate !== undefined) this.#slowDown(this.#byteRate.take(end - start, now));
    if (this.machine.parked || this.machine.unsettled >= this.context.limits.maxUnsettled || this.#isFlooded) {
      this.#updatePause();
      // A transport that goes on although it was told to pause.
      if (this.machine.parked && this.machine.buffered > this.context.limits.maxBuffered) {
        this.machine.closeLink(Code.QuotaExceeded, "too much was sent while an answer was due");
      }
    }
  }

  drain(): void {
    this.#writing = false;
    this.outbox.drained();
    this.#caughtUp();
    // In the middle of a turn there may be facts that are not durable: what tells of them waits for its end.
    if (this.context.broker.factLog === undefined) this.flush();
    else this.outputReady();
    if (this.#paused) this.#updatePause();
  }

  closed(error: Error | undefined): void {
    this.#finish({
      reasonCode: Code.UnspecifiedError,
      by: "client",
      reason: error === undefined ? "connection closed without DISCONNECT" : `connection lost: ${error.message}`,
    });
    this.#timer?.cancel();
    this.machine.lost();
    this.outbox.discard();
    this.outbox.drained();
    this.context.connectionClosed(this);
    this.whenClosed?.();
  }

  // ── output ────────────────────────────────────────────────────────────────────────────────────────────────────────

  outputReady(): void {
    this.context.broker.flusher.add(this);
  }

  outputLarge(): void {
    // With facts that are not durable yet nothing may leave before its time.
    if (this.context.broker.factLog?.isPending !== true) this.#write();
  }

  mayWaitIn(bytes: Uint8Array): boolean {
    return this.context.broker.zeroCopyBatch.mayWait(bytes, this.outbox);
  }

  outputThrough(bytes: Uint8Array, start: number, end: number): number {
    const { transport, outbox } = this;
    const { factLog, counters } = this.context.broker;
    if (transport.tryWrite === undefined || factLog?.isPending === true) return 0;
    this.#write();
    if (outbox.backlog > 0) return 0;
    const taken = transport.tryWrite(bytes, start, end);
    counters.bytesSent += taken;
    return taken;
  }

  flush(): void {
    const { outbox } = this;
    if (this.#writing || outbox.holds > 0) return;
    const { pending } = outbox;
    this.#write();
    if (this.#paused) this.#updatePause();
    if (this.#end !== undefined) this.transport.end();
    else if (!this.#writing && (this.#replays !== undefined || pending > this.context.limits.highWater))
      this.#caughtUp();
  }

  #write(): void {
    const { outbox } = this;
    const { pending } = outbox;
    if (pending === 0 || this.#writing || outbox.holds > 0) return;
    this.context.broker.counters.bytesSent += pending;
    const consumed = this.transport.write(outbox.take());
    outbox.taken(consumed);
    this.#writing = !consumed;
  }

  /** There is room again for what had to wait. */
  #caughtUp(): void {
    if (this.#end !== undefined) return;
    try {
      const now = this.context.broker.clock.now();
      this.entry?.session.pump(now);
      this.#replay(now);
    } catch (error) {
      this.#crashed(error);
    }
  }

  // ── effects ───────────────────────────────────────────────────────────────────────────────────────────────────────

  connect(packet: ConnectPacket, now: Millis): Parkable<ConnectAnswer> {
    return this.#parkable(beginConnect(this, packet, now), (answer, then) => this.#connectResolved(answer, then));
  }

  continueConnect(packet: AuthPacket, now: Millis): Parkable<ConnectAnswer> {
    return this.#parkable(continueConnect(this, packet, now), (answer, then) => this.#connectResolved(answer, then));
  }

  reauthenticate(packet: AuthPacket, _now: Millis): Parkable<ReauthenticateAnswer> {
    return this.#parkable(reauthenticate(this, packet), (answer, then) =>
      this.machine.reauthenticateResolved(answer, then),
    );
  }

  publish(message: Message, now: Millis): number {
    if (this.#messageRate !== undefined) this.#slowDown(this.#messageRate.take(1, now));
    return publish(this, message, now);
  }

  subscribe(packet: SubscribePacket, now: Millis): Parkable<readonly ReasonCode[]> {
    return this.#parkable(subscribe(this, packet, now), (codes, then) => this.machine.subscribeResolved(codes, then));
  }

  subscribed(now: Millis): void {
    this.#replay(now);
  }

  unsubscribe(packet: UnsubscribePacket, _now: Millis): Parkable<readonly ReasonCode[]> {
    return unsubscribe(this, packet);
  }

  get packetReceived(): ((packet: Packet) => void) | undefined {
    if (this.context.chain.observe.packetReceived === undefined) return undefined;
    this.#tellReceived ??= this.#teller("packetReceived");
    return this.#tellReceived;
  }

  get packetSent(): ((packet: Packet) => void) | undefined {
    if (this.context.chain.observe.packetSent === undefined) return undefined;
    this.#tellSent ??= this.#teller("packetSent");
    return this.#tellSent;
  }

  /** The closure is made here: the getters are called for every packet, and one in them would cost them a context each time. */
  #teller(event: "packetReceived" | "packetSent"): (packet: Packet) => void {
    return (packet) => this.context.chain.observe[event]?.(this.client, packet);
  }

  /** Called by the machine. */
  close(end: ConnectionEnd): void;
  /** Called for the registry and the operator. */
  close(reasonCode: ReasonCode, reasonString?: string): void;
  close(how: ConnectionEnd | ReasonCode, reasonString?: string): void {
    if (typeof how === "number") {
      this.machine.closeLink(how, reasonString);
      return;
    }
    this.#finish(how);
    this.outputReady();
    // A client that takes nothing any more would keep its connection for ever: its last words wait behind what it leaves.
    if (this.#writing || this.outbox.holds > 0) this.#destroyLater();
  }

  takenOver(): void {
    this.machine.closeLink(Code.SessionTakenOver);
    // The machine may have been closed already with its session still attached; the registry must see it go.
    this.#finish({ reasonCode: Code.SessionTakenOver, by: "server", reason: "session taken over" });
  }

  // ── for the parts of the driver ───────────────────────────────────────────────────────────────────────────────────

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** The client is in: deadlines from now on are those of keep-alive and credentials. */
  admitted(entry: SessionEntry, access: AuthorizationCache, expiresAt: Millis | undefined): void {
    this.entry = entry;
    this.access = access;
    this.credentialsExpireAt(expiresAt);
  }

  /** Nothing more is read until it is known what becomes of a message. */
  park(judged: Promise<Judged>): number {
    judged.then(
      (answer) => {
        const now = this.context.broker.clock.now();
        if (this.isOpen) this.#resume(() => this.machine.publishResolved(conclude(this, answer, now), now));
        else conclude(this, answer, now);
      },
      (error: unknown) => this.#crashed(error),
    );
    return PUBLISH_PARKED;
  }

  /** Another broker serves the client: what was begun here ends without a word. */
  discardHandedOver(): void {
    this.context.broker.counters.connectionsAccepted--;
    this.closed(undefined);
  }

  /** Reads no further until the other brokers take what they are sent. */
  pauseForPeers(): void {
    const { cluster } = this.context.broker;
    if (cluster === undefined || this.#peerBackpressure) return;
    this.#peerBackpressure = true;
    cluster.bus.whenRelieved(() => {
      this.#peerBackpressure = false;
      this.#updatePause();
    });
    this.#updatePause();
  }

  /** Another broker has said what became of messages. */
  runSettled(run: ForwardRun, from: number, count: number, result: ForwardResult): void {
    settleRun(this, run, from, count, result);
  }

  /** A message that was taken can be acknowledged now. */
  settle(packetId: number, reasonCode: number): void {
    if (!this.isOpen) return;
    this.machine.publishSettled(packetId, reasonCode);
    if (this.#paused) this.#updatePause();
  }

  credentialsExpireAt(time: Millis | undefined): void {
    this.#credentialsTimer?.cancel();
    this.#credentialsTimer = undefined;
    if (time === undefined || time === NEVER) return;
    this.#credentialsTimer = this.context.broker.timers.at(time, () =>
      this.machine.closeLink(Code.NotAuthorized, "the credentials have expired"),
    );
  }

  /** A new subscription is owed retained messages: `subscribed` begins with them. */
  scheduleRetained(replay: RetainedDelivery): void {
    this.#replays ??= new RetainedDeliveries(this.entry as SessionEntry, () => this.#caughtUp());
    this.#replays.add(replay);
  }

  /** New subscriptions whose retained messages have not all been sent. */
  get scheduledRetained(): number {
    return this.#replays?.size ?? 0;
  }

  #replay(now: Millis): void {
    const outcome = this.#replays?.run(now);
    if (outcome === "done") this.#replays = undefined;
    else if (outcome === "burst") this.outputReady();
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #connectResolved(answer: ConnectAnswer, now: Millis): void {
    this.machine.connectResolved(answer, now);
    this.#begin();
  }

  /** The client is in: its keep-alive takes the place of the connect timeout. [MQTT-3.1.2-22] */
  #begin(): void {
    if (this.#keepsWatch || this.machine.state !== ConnectionState.Connected) return;
    this.#keepsWatch = true;
    // The timer for CONNECT goes on to the first look at the keep-alive, unless that is due sooner: thousands may come at
    // once, and a timer each is enough.
    if (this.#timer === undefined || this.machine.keepAliveDeadline < this.#timer.time) this.watchKeepAlive();
  }

  /** A value now, or PARKED and the value later, if the connection is still there then. */
  #parkable<T>(value: T | Promise<T>, resolved: (value: T, now: Millis) => void): Parkable<T> {
    if (!(value instanceof Promise)) return value;
    value.then(
      (answer) => this.#resume(() => resolved(answer, this.context.broker.clock.now())),
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

  /** Messages wait in the session when the client does not take them, answers here: one that asks on is not heard. */
  get #isFlooded(): boolean {
    const { outbox } = this;
    return outbox.answers > this.context.limits.maxBuffered && (this.#writing || outbox.holds > 0);
  }

  #slowDown(wait: Millis): void {
    if (wait <= 0 || this.#slowed) return;
    this.#slowed = true;
    const { timers, clock } = this.context.broker;
    timers.at(clock.now() + wait, () => {
      this.#slowed = false;
      this.#updatePause();
    });
    this.#updatePause();
  }

  #updatePause(): void {
    const { machine } = this;
    const wanted =
      this.isOpen &&
      (machine.parked ||
        this.#slowed ||
        this.#peerBackpressure ||
        machine.unsettled >= this.context.limits.maxUnsettled ||
        this.#isFlooded);
    if (wanted === this.#paused) return;
    this.#paused = wanted;
    if (wanted) this.transport.pause();
    else this.transport.resume();
  }

  #checkDeadline(now: Millis): void {
    if (!this.isOpen) return;
    const { machine } = this;
    if (machine.state !== ConnectionState.Connected) {
      machine.expire(Code.MaximumConnectTime);
      return;
    }
    // While we do not read we cannot know whether the client speaks; but one that does not read is not kept for that.
    if (this.#paused && !(this.#isFlooded && this.#writing)) machine.lastReceived = now;
    const deadline = machine.keepAliveDeadline;
    if (deadline <= now) machine.expire(Code.KeepAliveTimeout);
    else this.watchKeepAlive();
  }

  #destroyLater(): void {
    const { timers, clock } = this.context.broker;
    this.#timer = timers.at(clock.now() + LAST_WORDS_GRACE, () => this.transport.destroy());
  }

  watchKeepAlive(): void {
    this.#timer?.cancel();
    const deadline = this.machine.keepAliveDeadline;
    this.#timer =
      deadline === NEVER ? undefined : this.context.broker.timers.at(deadline, (then) => this.#checkDeadline(then));
  }

  /** The conversation is over, whatever the transport still has to do. Once. */
  #finish(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#timer?.cancel();
    this.#credentialsTimer?.cancel();
    this.#replays = undefined;
    if (this.#paused) {
      this.#paused = false;
      this.transport.resume();
    }
    this.context.conversationEnded(this, end);
  }

  /** A defect of ours or of a plugin: it costs this client its connection, and nobody else anything. */
  #crashed(error: unknown): void {
    this.context.broker.logger.error({ error, clientId: this.client?.clientId }, "a connection failed");
    if (this.isOpen) this.machine.closeLink(Code.UnspecifiedError);
    if (this.isOpen) this.transport.destroy();
  }
}
