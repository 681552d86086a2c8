// From CONNECT to a session: plugins may change the packet, must say yes to the credentials, may change the will, may
// still say no; then the client gets its session. Each step may take its time; the client may be gone after each.
import { type AuthPacket, type ConnectPacket, ReasonCode } from "@wrenmq/codec";
import type { AuthenticationStep, ClientInfo, Identity, MaybePromise, PeerCertificate } from "@wrenmq/plugin-api";
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
import type { Placement } from "../clustering/client-placement.ts";
import type { Listener } from "../listeners/listener.ts";
import { AuthorizationCache } from "./authorization-cache.ts";
import type { ClientConnection } from "./client-connection.ts";

/** What is known of a client between CONNECT and CONNACK. */
export interface PendingConnect {
  packet: ConnectPacket;
  assignedClientId: string | undefined;
  /** There is room for it only because it takes over the connection of its client. */
  needsTakeover: boolean;
}

const NEVER_EXPIRES = 0xffff_ffff;
const NO_USER_PROPERTIES: ClientInfo["userProperties"] = [];

/** Goes on with a value now or when it is there. */
function then<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

export function beginConnect(driver: ClientConnection, lent: ConnectPacket, now: Millis): MaybePromise<ConnectAnswer> {
  const { context } = driver;
  const packet = withOwnBytes(lent);
  const assignedClientId = packet.clientId === "" ? newClientId(context.broker.placement) : undefined;
  const needsTakeover = !context.hasRoom;
  const pendingConnect: PendingConnect = { packet, assignedClientId, needsTakeover };
  driver.pendingConnect = pendingConnect;
  driver.client = describeClient(driver, packet, assignedClientId ?? packet.clientId, packet.username, now);
  if (needsTakeover && !context.hasRoomByTakeover(packet.clientId)) {
    return refuseOneMore(driver, packet, maximumConnections(context));
  }
  const { connect } = context.chain;
  if (connect === undefined) return authenticate(driver, pendingConnect);
  return then(connect(driver.client, packet), (changed) => {
    if ("reasonCode" in changed) return refuse(driver, changed);
    if (changed !== packet) change(driver, pendingConnect, changed, now);
    return authenticate(driver, pendingConnect);
  });
}

/** A plugin changed the packet: who the client says it is may be something else now. */
function change(driver: ClientConnection, pendingConnect: PendingConnect, changed: ConnectPacket, now: Millis): void {
  const { attributes, clientId } = driver.client;
  pendingConnect.packet = changed;
  if (pendingConnect.assignedClientId !== undefined && changed.clientId !== "")
    pendingConnect.assignedClientId = changed.clientId;
  const name = changed.clientId === "" ? clientId : changed.clientId;
  driver.client = { ...describeClient(driver, changed, name, changed.username, now), attributes };
}

/** The bytes of the packet are lent for the call only, and plugins may take longer. */
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

/** The client's AUTH in the middle of admission. */
export function continueConnect(
  driver: ClientConnection,
  packet: AuthPacket,
  _now: Millis,
): MaybePromise<ConnectAnswer> {
  const pendingConnect = driver.pendingConnect as PendingConnect;
  return then(nextStep(driver, packet.properties?.authenticationData), (step) =>
    authenticated(driver, pendingConnect, step),
  );
}

/** The client's AUTH after admission. [MQTT5 4.12.1] */
export function reauthenticate(driver: ClientConnection, packet: AuthPacket): MaybePromise<ReauthenticateAnswer> {
  if (packet.reasonCode === ReasonCode.ReAuthenticate) {
    const method = packet.properties?.authenticationMethod as string;
    driver.exchange = driver.context.chain.authenticationMethods.get(method)?.(driver.client);
  }
  return then(nextStep(driver, packet.properties?.authenticationData), (step): ReauthenticateAnswer => {
    if (step.status === "failure") return refusal(stepVerdict(step));
    if (step.status === "success" && step.identity?.expiresAt !== undefined) {
      driver.credentialsExpireAt(step.identity.expiresAt);
    }
    return { kind: step.status, authenticationData: step.data };
  });
}

function authenticate(driver: ClientConnection, pendingConnect: PendingConnect): MaybePromise<ConnectAnswer> {
  const { chain } = driver.context;
  const { packet } = pendingConnect;
  const method = packet.properties?.authenticationMethod;
  if (method === undefined) {
    return then(chain.authenticate(driver.client, packet.password), (identity) =>
      identified(driver, pendingConnect, identity),
    );
  }
  const begin = chain.authenticationMethods.get(method);
  if (begin === undefined) {
    return refuse(driver, { reasonCode: ReasonCode.BadAuthenticationMethod, rule: `no plugin for method ${method}` }); // [MQTT-4.12.0-1]
  }
  driver.exchange = begin(driver.client);
  const data = packet.properties?.authenticationData;
  return then(nextStep(driver, data), (step) => authenticated(driver, pendingConnect, step));
}

function nextStep(driver: ClientConnection, data: Uint8Array | undefined): MaybePromise<AuthenticationStep> {
  return driver.exchange?.next(data && copyBytes(data)) ?? { status: "failure" };
}

function authenticated(
  driver: ClientConnection,
  pendingConnect: PendingConnect,
  step: AuthenticationStep,
): MaybePromise<ConnectAnswer> {
  if (step.status === "continue") return { kind: "continue", authenticationData: step.data };
  if (step.status === "failure") return refuse(driver, stepVerdict(step));
  return identified(driver, pendingConnect, { reasonCode: ReasonCode.Success, ...step.identity }, step.data);
}

function stepVerdict(step: AuthenticationStep & { status: "failure" }): Verdict {
  return { reasonCode: step.reasonCode ?? ReasonCode.NotAuthorized, reasonString: step.reasonString };
}

/** Who the client is has been settled; what else there is to say about it has not. */
function identified(
  driver: ClientConnection,
  pendingConnect: PendingConnect,
  identity: Identity,
  authenticationData?: Uint8Array,
): MaybePromise<ConnectAnswer> {
  if (!isAllowed(identity)) return refuse(driver, identity);
  const { packet } = pendingConnect;
  const { client } = driver;
  if (identity.username !== undefined) driver.client = { ...client, username: identity.username };
  if (identity.attributes !== undefined) Object.assign(client.attributes, identity.attributes);
  const { chain } = driver.context;
  return then(chain.authorizeConnect?.(driver.client) ?? identity, (verdict) => {
    if (!isAllowed(verdict)) return refuse(driver, verdict);
    if (packet.will === undefined || chain.will === undefined) {
      return enter(driver, pendingConnect, identity, authenticationData);
    }
    return then(chain.will(driver.client, packet.will), (will) => {
      if ("reasonCode" in will) return refuse(driver, will);
      pendingConnect.packet = { ...packet, will };
      return enter(driver, pendingConnect, identity, authenticationData);
    });
  });
}

function enter(
  driver: ClientConnection,
  pendingConnect: PendingConnect,
  identity: Identity,
  authenticationData: Uint8Array | undefined,
): ConnectAnswer {
  const { context, client } = driver;
  const { broker } = context;
  if (!driver.isOpen) return refusal({ reasonCode: ReasonCode.UnspecifiedError });
  const { packet, assignedClientId } = pendingConnect;
  const { will } = packet;
  const wanted = wantedExpiry(packet, broker.sessionPolicy.defaultExpiry);
  const expiryInterval = Math.min(wanted, broker.sessionPolicy.maximumExpiry);
  // Plugins have thought, and others have come meanwhile.
  const takesOver = broker.registry.isConnected(client.clientId);
  const isOneMore = pendingConnect.needsTakeover && !context.hasRoom && !context.hasRoomByTakeover(client.clientId);
  if (isOneMore || (!broker.hasRoom() && !takesOver)) {
    return refuseOneMore(driver, packet, maximumConnections(context));
  }
  if (!broker.hasRoomForSession(client.clientId, expiryInterval)) {
    return refuseOneMore(driver, packet, "maximum sessions");
  }
  const now = broker.clock.now();
  const { entry, present } = broker.registry.connect(
    driver,
    { cleanStart: packet.cleanStart, expiryInterval, will },
    now,
  );
  entry.session.limits = context.sessionLimits;
  driver.admitted(entry, new AuthorizationCache(client, context.rules), identity.expiresAt);
  driver.pendingConnect = undefined;
  if (!driver.isOpen) {
    // Somebody who was told of the session ended the connection before it knew its session.
    if (entry.connection === driver) broker.registry.disconnected(entry, now);
    return refusal({ reasonCode: ReasonCode.UnspecifiedError });
  }
  if (broker.logsClients) {
    const { clientId, username, remoteAddress: address } = client;
    broker.logger.debug({ clientId, username, address, listener: context.name, present }, "client connected");
  }
  context.chain.observe.connected?.(client);
  const wantsResponseInformation = packet.properties?.requestResponseInformation === 1;
  return {
    kind: "accepted",
    session: entry.session,
    sessionPresent: present,
    assignedClientId,
    keepAlive: packet.keepAlive,
    sessionExpiryInterval: expiryInterval === wanted ? undefined : expiryInterval,
    responseInformation: wantsResponseInformation ? broker.responseInformation?.(client.clientId) : undefined,
    authenticationData,
  };
}

function maximumConnections({ name }: Listener): string {
  return `listener ${name}: maximum connections`;
}

function refuseOneMore(driver: ClientConnection, { protocolVersion }: ConnectPacket, rule: string): ConnectRefused {
  const { negativeAcks } = dialectOf(protocolVersion);
  return refuse(driver, { reasonCode: negativeAcks ? ReasonCode.QuotaExceeded : ReasonCode.ServerUnavailable, rule });
}

function refuse(driver: ClientConnection, verdict: Verdict): ConnectRefused {
  const { context, client } = driver;
  context.broker.counters.connectionsRefused++;
  const { reasonCode, rule } = verdict;
  context.broker.logger.info(
    { clientId: client.clientId, username: client.username, address: client.remoteAddress, reasonCode, rule },
    "client refused",
  );
  context.chain.observe.refused?.(client, verdict);
  return refusal(verdict);
}

function refusal(verdict: Verdict & { readonly serverReference?: string | undefined }): ConnectRefused {
  const { reasonCode, reasonString, serverReference } = verdict;
  return { kind: "refused", reasonCode, reasonString, serverReference };
}

function wantedExpiry(packet: ConnectPacket, defaultExpiry: Seconds): Seconds {
  if (dialectOf(packet.protocolVersion).sessionExpiryFromCleanStart) return packet.cleanStart ? 0 : defaultExpiry;
  const expiry = packet.properties?.sessionExpiryInterval ?? 0;
  return expiry === NEVER_EXPIRES ? Number.POSITIVE_INFINITY : expiry;
}

function describeClient(
  driver: ClientConnection,
  packet: ConnectPacket,
  clientId: string,
  username: string | undefined,
  now: Millis,
): ClientInfo {
  const { info } = driver.transport;
  const { tls } = info;
  return {
    clientId,
    username,
    protocolVersion: packet.protocolVersion,
    cleanStart: packet.cleanStart,
    keepAlive: packet.keepAlive,
    listener: driver.context.name,
    remoteAddress: info.remoteAddress,
    remotePort: info.remotePort,
    secure: tls !== undefined,
    certificate: tls?.authorized === true ? (tls.certificate as PeerCertificate | undefined) : undefined,
    userProperties: packet.properties?.userProperties ?? NO_USER_PROPERTIES,
    connectedAt: now,
    attributes: {},
  };
}

/** One that this broker serves. */
function newClientId(placement: Placement | undefined): string {
  for (;;) {
    const clientId = `wrenmq-${globalThis.crypto.randomUUID()}`;
    if (placement === undefined || placement.isHome(clientId)) return clientId;
  }
}
