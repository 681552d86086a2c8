// The steps from CONNECT to a session: plugins may change the packet, must accept the credentials, may change the will,
// and may still refuse; then the client gets its session. Each step may be asynchronous, and the client may disconnect
// during each.
import { type AuthPacket, type ConnectPacket, ReasonCode, utf8Length, type Will } from "@wrenmq/codec";
import type {
  AuthenticationExchange,
  AuthenticationStep,
  ClientInfo,
  Identity,
  MaybePromise,
  PeerCertificate,
} from "@wrenmq/plugin-api";
import {
  type ConnectAnswer,
  type ConnectRefused,
  copyBytes,
  dialectOf,
  isAllowed,
  type Millis,
  type ReauthenticateAnswer,
  type Seconds,
  type Verdict,
} from "@wrenmq/protocol";
import { isTopicName } from "@wrenmq/topics";
import type { Connection } from "@wrenmq/transport";
import { AuthorizationCache } from "../access/authorization-cache.ts";
import { isOwnState, isServersOwn } from "../access/reserved-topics.ts";
import type { SessionConnection, SessionEntry } from "../sessions/session-entry.ts";
import type { ListenerScope } from "./services.ts";

/** A connection between CONNECT and CONNACK. */
export interface ConnectingClient extends SessionConnection {
  readonly scope: ListenerScope;
  readonly transport: Connection;
  readonly isOpen: boolean;
  /** What is known about the client so far. */
  client: ClientInfo;
  /** The client has its session. */
  admitted(entry: SessionEntry, access: AuthorizationCache): void;
  /** Closes the connection at this time; undefined: never. */
  credentialsExpireAt(time: Millis | undefined): void;
}

const NEVER_EXPIRES = 0xffff_ffff;
const NO_USER_PROPERTIES: ClientInfo["userProperties"] = [];

/** Continues with a value, now or when its promise resolves. */
function then<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

export class ConnectFlow {
  readonly #connecting: ConnectingClient;
  readonly #scope: ListenerScope;
  #packet!: ConnectPacket;
  #assignedClientId: string | undefined = undefined;
  /** That of the client, or assigned: plugins may have replaced it. */
  #placedClientId = "";
  /** There is room for the client only because it takes over its own connection. */
  #needsTakeover = false;
  /** The exchange of enhanced authentication in progress. [MQTT5 4.12] */
  #exchange: AuthenticationExchange | undefined = undefined;
  /** Only a client that connected with an authentication method may use it again. [MQTT-4.12.1-1] */
  mayAuthenticateAgain: boolean = false;
  /** Functions that abandon the pending attempts of plugins. */
  #whenGone: (() => void)[] | undefined = undefined;

  constructor(connecting: ConnectingClient) {
    this.#connecting = connecting;
    this.#scope = connecting.scope;
  }

  begin(lent: ConnectPacket, now: Millis): MaybePromise<ConnectAnswer> {
    const scope = this.#scope;
    scope.broker.counters.connectsReceived++;
    const packet = withOwnBytes(lent);
    this.#packet = packet;
    this.mayAuthenticateAgain = packet.properties?.authenticationMethod !== undefined;
    if (packet.clientId === "") this.#assignedClientId = scope.broker.newClientId();
    this.#placedClientId = this.#assignedClientId ?? packet.clientId;
    const connecting = this.#connecting;
    connecting.client = describeClient(connecting, packet, this.#assignedClientId ?? packet.clientId, now);
    const refused = this.#refuseByOperator(now);
    if (refused !== undefined) return refused;
    this.#needsTakeover = !scope.hasRoom;
    if (this.#needsTakeover && !scope.hasRoomByTakeover(packet.clientId)) return this.#refuseOneMore(this.#isFull);
    const { connect } = scope.chain;
    if (connect === undefined) return this.#checkWill(packet.will) ?? this.#authenticate();
    return then(connect(connecting.client, packet), (changed) => {
      if ("reasonCode" in changed) return this.#refuse(changed);
      if (changed !== packet) this.#change(changed, now);
      return this.#checkWill(changed.will) ?? this.#authenticate();
    });
  }

  /** The connection has ended: the result is not needed any more. */
  abandon(): void {
    for (const stop of this.#whenGone ?? []) stop();
  }

  /** An AUTH of the client before CONNACK. [MQTT5 4.12] */
  continue(packet: AuthPacket): MaybePromise<ConnectAnswer> {
    return then(this.#nextStep(packet.properties?.authenticationData), (step) => this.#authenticated(step));
  }

  /** An AUTH of the client after CONNACK. [MQTT5 4.12.1] */
  reauthenticate(packet: AuthPacket): MaybePromise<ReauthenticateAnswer> {
    const connecting = this.#connecting;
    if (packet.reasonCode === ReasonCode.ReAuthenticate) {
      const method = packet.properties?.authenticationMethod as string;
      this.#exchange = this.#scope.chain.authenticationMethods.get(method)?.(connecting.client);
    }
    return then(this.#nextStep(packet.properties?.authenticationData), (step): ReauthenticateAnswer => {
      if (step.status === "failure") return refusal(stepVerdict(step));
      if (step.status === "success" && step.identity?.expiresAt !== undefined) {
        connecting.credentialsExpireAt(step.identity.expiresAt);
      }
      return { kind: step.status, authenticationData: step.data };
    });
  }

  /** A plugin has changed the packet: client identifier and user name may be different now. */
  #change(changed: ConnectPacket, now: Millis): void {
    const connecting = this.#connecting;
    const { attributes, clientId } = connecting.client;
    this.#packet = changed;
    if (this.#assignedClientId !== undefined && changed.clientId !== "") this.#assignedClientId = changed.clientId;
    const name = changed.clientId === "" ? clientId : changed.clientId;
    connecting.client = { ...describeClient(connecting, changed, name, now), attributes };
  }

  /**
   * Refuses a will that can never be published. This is the only time to tell the client. Access rules are not checked
   * here: they may change.
   */
  #checkWill(will: Will | undefined): ConnectRefused | undefined {
    if (will === undefined) return undefined;
    const { maxTopicLength, maxTopicLevels } = this.#scope.limits;
    if (utf8Length(will.topic) > maxTopicLength || !isTopicName(will.topic, { maxLevels: maxTopicLevels })) {
      const rule = `a will topic has at most ${maxTopicLength} bytes and ${maxTopicLevels} levels`;
      // MQTT 3 has no code for it: "identifier rejected" comes nearest.
      const { negativeAcks } = dialectOf(this.#packet.protocolVersion);
      const reasonCode = negativeAcks ? ReasonCode.TopicNameInvalid : ReasonCode.ClientIdentifierNotValid;
      return this.#refuse({ reasonCode, rule });
    }
    const { client } = this.#connecting;
    if (isServersOwn(will.topic) && !isOwnState(client, will.topic)) {
      // Bridges that do not say what they are have such a will by default: they may connect.
      const { clientId } = client;
      this.#scope.broker.logger.debug({ clientId, topic: will.topic }, "a will to $SYS is never published");
    }
    return undefined;
  }

  #authenticate(): MaybePromise<ConnectAnswer> {
    const { chain } = this.#scope;
    const { client } = this.#connecting;
    const packet = this.#packet;
    const method = packet.properties?.authenticationMethod;
    if (method === undefined) {
      const whenGone = (stop: () => void): void => {
        this.#whenGone ??= [];
        this.#whenGone.push(stop);
      };
      return then(chain.authenticate(client, packet.password, whenGone), (identity) => {
        // A client that has disconnected meanwhile does not count as refused.
        const given = this.#whenGone !== undefined && !this.#connecting.isOpen;
        return given && !isAllowed(identity) ? refusal(identity) : this.#identified(identity);
      });
    }
    const begin = chain.authenticationMethods.get(method);
    if (begin === undefined) {
      return this.#refuse({ reasonCode: ReasonCode.BadAuthenticationMethod, rule: `no plugin for method ${method}` }); // [MQTT-4.12.0-1]
    }
    this.#exchange = begin(client);
    return then(this.#nextStep(packet.properties?.authenticationData), (step) => this.#authenticated(step));
  }

  #nextStep(data: Uint8Array | undefined): MaybePromise<AuthenticationStep> {
    return this.#exchange?.next(data && copyBytes(data)) ?? { status: "failure" };
  }

  #authenticated(step: AuthenticationStep): MaybePromise<ConnectAnswer> {
    if (step.status === "continue") return { kind: "continue", authenticationData: step.data };
    if (step.status === "failure") return this.#refuse(stepVerdict(step));
    return this.#identified({ reasonCode: ReasonCode.Success, ...step.identity }, step.data);
  }

  /** The client is authenticated; whether it may connect is not decided. */
  #identified(identity: Identity, authenticationData?: Uint8Array): MaybePromise<ConnectAnswer> {
    if (!isAllowed(identity)) return this.#refuse(identity);
    const connecting = this.#connecting;
    const { client } = connecting;
    if (identity.username !== undefined) connecting.client = { ...client, username: identity.username };
    if (identity.attributes !== undefined) Object.assign(client.attributes, identity.attributes);
    const { chain } = this.#scope;
    return then(chain.authorizeConnect?.(connecting.client) ?? identity, (verdict) => {
      if (!isAllowed(verdict)) return this.#refuse(verdict);
      const { will } = this.#packet;
      if (will === undefined || chain.will === undefined) return this.#enter(identity, authenticationData);
      return then(chain.will(connecting.client, will), (changed) => {
        if ("reasonCode" in changed) return this.#refuse(changed);
        this.#packet = { ...this.#packet, will: changed };
        return this.#checkWill(changed) ?? this.#enter(identity, authenticationData);
      });
    });
  }

  #enter(identity: Identity, authenticationData: Uint8Array | undefined): ConnectAnswer {
    const connecting = this.#connecting;
    const scope = this.#scope;
    const { broker } = scope;
    const { client } = connecting;
    if (!connecting.isOpen) return refusal({ reasonCode: ReasonCode.UnspecifiedError });
    if (!broker.isStillHome(this.#placedClientId)) {
      return this.#refuse({ reasonCode: ReasonCode.ServerUnavailable, rule: "another broker serves the client now" });
    }
    const packet = this.#packet;
    const wanted = wantedExpiry(packet, broker.sessionPolicy.defaultExpiry);
    const expiryInterval = Math.min(wanted, broker.sessionPolicy.maximumExpiry);
    // Other clients may have connected while plugins were awaited.
    const isOneMore = this.#needsTakeover && !scope.hasRoom && !scope.hasRoomByTakeover(client.clientId);
    if (isOneMore || (!broker.hasRoom() && !broker.registry.isConnected(client.clientId))) {
      return this.#refuseOneMore(this.#isFull);
    }
    if (!broker.hasRoomForSession(client.clientId, expiryInterval)) return this.#refuseOneMore("maximum sessions");
    const now = broker.clock.now();
    // Plugins may have changed the user name, and bans may have been added.
    const refused = this.#refuseByOperator(now);
    if (refused !== undefined) return refused;
    const { cleanStart, will } = packet;
    const { entry, present } = broker.registry.connect(connecting, { cleanStart, expiryInterval, will }, now);
    entry.session.limits = scope.sessionLimits;
    connecting.admitted(entry, new AuthorizationCache(client, scope.rules));
    connecting.credentialsExpireAt(identity.expiresAt);
    if (!connecting.isOpen) {
      // An observer has ended the connection of the new session.
      if (entry.connection === connecting) broker.registry.disconnected(entry, now);
      return refusal({ reasonCode: ReasonCode.UnspecifiedError });
    }
    if (broker.logsClients) {
      const { clientId, username, remoteAddress: address } = client;
      broker.logger.info({ clientId, username, address, listener: scope.name, present }, "client connected");
    }
    scope.chain.observe.connected?.(client);
    const wantsResponseInformation = packet.properties?.requestResponseInformation === 1;
    return {
      kind: "accepted",
      session: entry.session,
      sessionPresent: present,
      assignedClientId: this.#assignedClientId,
      keepAlive: packet.keepAlive,
      sessionExpiryInterval: expiryInterval === wanted ? undefined : expiryInterval,
      responseInformation: wantsResponseInformation ? broker.responseInformation?.(client.clientId) : undefined,
      authenticationData,
    };
  }

  get #isFull(): string {
    return `listener ${this.#scope.name}: maximum connections`;
  }

  /** Refusals by the operator, which come before plugins: while the broker is drained, and bans. */
  #refuseByOperator(now: Millis): ConnectRefused | undefined {
    const { drain, bans } = this.#scope.broker;
    if (drain.state !== undefined) {
      const { serverReference, isUnavailable } = drain.state;
      const reasonString = isUnavailable ? "the server is cut off from the others" : "the server is being emptied";
      return this.#refuse({
        reasonCode: isUnavailable ? ReasonCode.ServerUnavailable : ReasonCode.UseAnotherServer,
        reasonString,
        rule: reasonString,
        serverReference,
      });
    }
    const ban = bans.size > 0 ? bans.find(this.#connecting.client, now) : undefined;
    if (ban === undefined) return undefined;
    const rule = `banned: ${ban.kind} ${ban.value} until ${new Date(ban.until).toISOString()}`;
    return this.#refuse({ reasonCode: ReasonCode.Banned, reasonString: ban.reason, rule });
  }

  #refuseOneMore(rule: string): ConnectRefused {
    const { negativeAcks } = dialectOf(this.#packet.protocolVersion);
    return this.#refuse({
      reasonCode: negativeAcks ? ReasonCode.QuotaExceeded : ReasonCode.ServerUnavailable,
      rule,
    });
  }

  #refuse(verdict: Verdict & { readonly serverReference?: string | undefined }): ConnectRefused {
    const { broker, chain } = this.#scope;
    const { client } = this.#connecting;
    broker.counters.connectionsRefused++;
    const { reasonCode, rule } = verdict;
    broker.logger.info(
      { clientId: client.clientId, username: client.username, address: client.remoteAddress, reasonCode, rule },
      "client refused",
    );
    chain.observe.refused?.(client, verdict);
    return refusal(verdict);
  }
}

function stepVerdict(step: AuthenticationStep & { status: "failure" }): Verdict {
  return { reasonCode: step.reasonCode ?? ReasonCode.NotAuthorized, reasonString: step.reasonString };
}

function refusal(verdict: Verdict & { readonly serverReference?: string | undefined }): ConnectRefused {
  const { reasonCode, reasonString, serverReference } = verdict;
  return { kind: "refused", reasonCode, reasonString, serverReference };
}

/** Copies the parts of the packet: its bytes are valid during the call only, and plugins may take longer. */
function withOwnBytes(packet: ConnectPacket): ConnectPacket {
  const { password, will, properties } = packet;
  if (password === undefined && will === undefined && properties === undefined) return packet;
  const own = { ...packet };
  if (password !== undefined) own.password = copyBytes(password);
  if (properties?.authenticationData !== undefined) {
    own.properties = { ...properties, authenticationData: copyBytes(properties.authenticationData) };
  }
  if (will !== undefined) {
    own.will = { ...will, payload: copyBytes(will.payload) };
    const correlationData = will.properties?.correlationData;
    if (correlationData !== undefined) {
      own.will.properties = { ...will.properties, correlationData: copyBytes(correlationData) };
    }
  }
  return own;
}

function wantedExpiry(packet: ConnectPacket, defaultExpiry: Seconds): Seconds {
  if (dialectOf(packet.protocolVersion).sessionExpiryFromCleanStart) return packet.cleanStart ? 0 : defaultExpiry;
  const expiry = packet.properties?.sessionExpiryInterval ?? 0;
  return expiry === NEVER_EXPIRES ? Number.POSITIVE_INFINITY : expiry;
}

function describeClient(
  { scope, transport }: ConnectingClient,
  packet: ConnectPacket,
  clientId: string,
  now: Millis,
): ClientInfo {
  const { info } = transport;
  const { tls } = info;
  return {
    clientId,
    username: packet.username,
    protocolVersion: packet.protocolVersion,
    bridge: packet.bridge === true,
    cleanStart: packet.cleanStart,
    keepAlive: packet.keepAlive,
    listener: scope.name,
    remoteAddress: info.remoteAddress,
    remotePort: info.remotePort,
    secure: tls !== undefined,
    certificate: tls?.authorized === true ? (tls.certificate as PeerCertificate | undefined) : undefined,
    userProperties: packet.properties?.userProperties ?? NO_USER_PROPERTIES,
    connectedAt: now,
    attributes: {},
  };
}
