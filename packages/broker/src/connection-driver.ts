// One connection between its transport and its protocol machine: hands bytes in, performs the effects that come out,
// and owns what the machine must not know: the clock, promises, the pausing of reads.
import type { AuthPacket, ConnectPacket, Packet, ReasonCode, SubscribePacket, UnsubscribePacket } from "@wrenmq/codec";
import { ReasonCode as Code } from "@wrenmq/codec";
import type { AuthenticationExchange, ClientInfo, PluginMessage } from "@wrenmq/plugin-api";
import {
  type ConnectAnswer,
  type ConnectionEnd,
  ConnectionState,
  DEFERRED,
  type Effects,
  isAllowed,
  Message,
  type Millis,
  NEVER,
  Outbox,
  type OutboxOwner,
  PARKED,
  type Parkable,
  PUBLISH_PARKED,
  type ReauthenticateAnswer,
  ServerConnection,
  type Verdict,
} from "@wrenmq/protocol";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";
import type { Access } from "./access.ts";
import { type Admission, admit, continueAdmission, reauthenticate } from "./admission.ts";
import type { ListenerContext } from "./listener-context.ts";
import { RateLimit } from "./rate-limit.ts";
import type { Replay } from "./replay.ts";
import { pluginMessage } from "./router.ts";
import type { SessionConnection, SessionEntry } from "./session-registry.ts";
import { subscribe, unsubscribe } from "./subscribing.ts";
import type { Timer } from "./timers.ts";

/** Bytes of retained messages that are put together before they are written. */
const REPLAY_BURST = 128 * 1024;

/** Milliseconds that a client which is behind with reading gets to read its DISCONNECT. */
const LAST_WORDS_GRACE = 3_000;

export class ConnectionDriver implements ConnectionHandler, Effects, OutboxOwner, SessionConnection {
  readonly context: ListenerContext;
  readonly transport: Connection;
  readonly machine: ServerConnection;
  readonly outbox: Outbox;
  /** Set by `admit`; nobody asks before. */
  client!: ClientInfo;
  entry: SessionEntry | undefined = undefined;
  access: Access | undefined = undefined;
  /** Until the client is admitted. */
  admission: Admission | undefined = undefined;
  /** Enhanced authentication that is under way. */
  exchange: AuthenticationExchange | undefined = undefined;
  /** Retained messages that are still to be sent for new subscriptions. */
  replays: Replay[] | undefined = undefined;
  /** Called when the transport is gone. */
  whenClosed: (() => void) | undefined = undefined;
  #timer: Timer | undefined;
  #credentialsTimer: Timer | undefined;
  #paused = false;
  #slowed = false;
  #writing = false;
  #keepsWatch = false;
  #end: ConnectionEnd | undefined;
  #messageRate: RateLimit | undefined;
  #byteRate: RateLimit | undefined;
  readonly packetReceived: ((packet: Packet) => void) | undefined;

  constructor(transport: Connection, context: ListenerContext, now: Millis) {
    this.transport = transport;
    this.context = context;
    this.outbox = new Outbox(context.broker.arena, this);
    const observer = context.chain.observe.packetReceived;
    this.packetReceived = observer === undefined ? undefined : (packet) => observer(this.client, packet);
    this.machine = new ServerConnection(context.settings, this, this.outbox, now);
    const { limits } = context;
    if (limits.messageRate > 0) this.#messageRate = new RateLimit(limits.messageRate, now);
    if (limits.byteRate > 0) this.#byteRate = new RateLimit(limits.byteRate, now);
    this.#timer = context.broker.timers.at(now + limits.connectTimeout, (then) => this.#checkDeadline(then));
  }

  // ── transport events ──────────────────────────────────────────────────────────────────────────────────────────────

  data(bytes: Uint8Array, start: number, end: number): void {
    const now = this.context.broker.clock.now();
    try {
      this.machine.receive(bytes, start, end, now);
    } catch (error) {
      this.#crashed(error);
    }
    if (!this.#keepsWatch) this.#begin();
    if (this.#byteRate !== undefined) this.#slowDown(this.#byteRate.take(end - start, now));
    if (this.machine.parked || this.machine.unsettled >= this.context.limits.maxUnsettled) this.#updatePause();
  }

  drain(): void {
    this.#writing = false;
    this.outbox.drained();
    if (this.#end === undefined) {
      const { broker } = this.context;
      this.entry?.session.pump(broker.clock.now());
      this.replay();
    }
    this.flush();
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
    if (this.context.broker.journal === undefined) this.flush();
  }

  flush(): void {
    const { outbox } = this;
    if (this.#writing || outbox.holds > 0) return;
    const pending = outbox.pending;
    if (pending > 0) {
      this.context.broker.counters.bytesSent += pending;
      const consumed = this.transport.write(outbox.take());
      outbox.taken(consumed);
      this.#writing = !consumed;
    }
    if (this.#end !== undefined) this.transport.end();
    else if (!this.#writing && this.replays !== undefined) this.replay();
  }

  // ── effects ───────────────────────────────────────────────────────────────────────────────────────────────────────

  connect(packet: ConnectPacket, now: Millis): Parkable<ConnectAnswer> {
    return this.#parkable(admit(this, packet, now), (answer, then) => this.#connectResolved(answer, then));
  }

  continueConnect(packet: AuthPacket, now: Millis): Parkable<ConnectAnswer> {
    return this.#parkable(continueAdmission(this, packet, now), (answer, then) => this.#connectResolved(answer, then));
  }

  reauthenticate(packet: AuthPacket, _now: Millis): Parkable<ReauthenticateAnswer> {
    return this.#parkable(reauthenticate(this, packet), (answer, then) =>
      this.machine.reauthenticateResolved(answer, then),
    );
  }

  publish(message: Message, now: Millis): number {
    const { broker, chain } = this.context;
    if (this.#messageRate !== undefined) this.#slowDown(this.#messageRate.take(1, now));
    if (chain.observe.received !== undefined) chain.observe.received(this.client, pluginMessage(message));
    const verdict = (this.access as Access).publish(message.target);
    if (verdict instanceof Promise) return this.#park(verdict.then((answer) => this.#authorized(message, answer)));
    if (!isAllowed(verdict)) return this.#refused(message, verdict);
    if (chain.publish !== undefined || broker.journal?.failing !== undefined || chain.observe.published !== undefined) {
      const outcome = this.#authorized(message, verdict);
      return typeof outcome === "number" ? outcome : this.#park(outcome);
    }
    const before = broker.journal?.length;
    const outcome = broker.router.publish(message, now);
    // A turn of the event loop may bring many messages and one commit: what is recorded is acknowledged after it.
    if (broker.router.congested === undefined && (before === undefined || before === broker.journal?.length)) {
      return outcome;
    }
    return this.#acknowledgeable(message, outcome);
  }

  subscribe(packet: SubscribePacket, now: Millis): Parkable<readonly ReasonCode[]> {
    return this.#parkable(subscribe(this, packet, now), (codes, then) => this.machine.subscribeResolved(codes, then));
  }

  subscribed(_now: Millis): void {
    this.replay();
  }

  unsubscribe(packet: UnsubscribePacket, _now: Millis): Parkable<readonly ReasonCode[]> {
    return unsubscribe(this, packet);
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
    if (this.#writing) this.#destroyLater();
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
  admitted(entry: SessionEntry, access: Access, expiresAt: Millis | undefined): void {
    this.entry = entry;
    this.access = access;
    this.credentialsExpireAt(expiresAt);
  }

  credentialsExpireAt(time: Millis | undefined): void {
    this.#credentialsTimer?.cancel();
    this.#credentialsTimer = undefined;
    if (time === undefined || time === NEVER) return;
    this.#credentialsTimer = this.context.broker.timers.at(time, () =>
      this.machine.closeLink(Code.NotAuthorized, "the credentials have expired"),
    );
  }

  /** Sends retained messages as fast as the client takes them. */
  replay(): void {
    const { session } = this.entry ?? {};
    const { replays } = this;
    if (replays === undefined) return;
    for (let replay = replays[0]; replay !== undefined; replay = replays[0]) {
      for (;;) {
        if (session === undefined || session.link === undefined || session.link.blocked) return;
        const step = replay.next();
        if (step === "done") break;
        if (step === "congested") {
          session.whenRelieved(() => this.replay());
          return;
        }
        if (this.outbox.pending > REPLAY_BURST) {
          this.outputReady();
          return;
        }
      }
      replays.shift();
    }
    this.replays = undefined;
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
    this.watchKeepAlive();
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

  #park(outcome: Promise<number>): number {
    outcome.then(
      (reasonCode) => this.#resume(() => this.machine.publishResolved(reasonCode, this.context.broker.clock.now())),
      (error: unknown) => this.#crashed(error),
    );
    return PUBLISH_PARKED;
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

  /** After authorisation: plugins may change the message or refuse it, then it is routed. */
  #authorized(message: Message, verdict: Verdict): number | Promise<number> {
    if (!isAllowed(verdict)) return this.#refused(message, verdict);
    const { broker, chain } = this.context;
    if (broker.journal?.failing !== undefined && (message.qos > 0 || message.retain)) {
      return this.#drop(message, "storeFull", Code.QuotaExceeded);
    }
    if (chain.publish === undefined) return this.#route(message);
    const changed = chain.publish(this.client, pluginMessage(message));
    if (changed instanceof Promise) return changed.then((answer) => this.#transformed(message, answer));
    return this.#transformed(message, changed);
  }

  #transformed(message: Message, answer: PluginMessage | Verdict): number {
    if ("reasonCode" in answer) return this.#refused(message, answer);
    const target = this.context.broker.topics.find(answer.topic);
    if (target === undefined) return Code.TopicNameInvalid;
    return this.#route(Message.of(target, { ...answer, expiresAt: message.expiresAt }));
  }

  #route(message: Message): number {
    const { broker, chain } = this.context;
    chain.observe.published?.(this.client, pluginMessage(message));
    return this.#acknowledgeable(message, broker.router.publish(message, broker.clock.now()));
  }

  /** DEFERRED when the acknowledgement has to wait: for the store, or for a subscriber that is behind. */
  #acknowledgeable(message: Message, outcome: number): number {
    const { broker } = this.context;
    const { congested } = broker.router;
    broker.router.congested = undefined;
    if (message.qos === 0 || outcome >= 0x80) return outcome;
    const packetId = this.machine.publishingPacketId;
    if (congested !== undefined) {
      congested.whenRelieved(() => this.#settle(packetId, outcome));
      return DEFERRED;
    }
    if (broker.journal === undefined || broker.journal.length === 0) return outcome;
    broker.journal.whenDurable((error) => this.#settle(packetId, error === undefined ? outcome : Code.QuotaExceeded));
    return DEFERRED;
  }

  #settle(packetId: number, reasonCode: number): void {
    if (!this.isOpen) return;
    this.machine.publishSettled(packetId, reasonCode);
    if (this.#paused) this.#updatePause();
  }

  #refused(message: Message, verdict: Verdict): number {
    return this.#drop(message, "notAuthorized", verdict.reasonCode);
  }

  #drop(message: Message, reason: "notAuthorized" | "storeFull", reasonCode: ReasonCode): number {
    const { entry } = this;
    if (entry !== undefined) this.context.broker.router.dropped(entry.session, message, reason);
    return reasonCode;
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
      this.isOpen && (machine.parked || this.#slowed || machine.unsettled >= this.context.limits.maxUnsettled);
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
    // While we do not read we cannot know whether the client speaks.
    if (this.#paused) machine.lastReceived = now;
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
    this.replays = undefined;
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
