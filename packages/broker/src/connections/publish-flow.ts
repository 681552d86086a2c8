// Handles a PUBLISH of a client: authorizes it, lets plugins change it, routes it. `AckBarrier` decides when it is
// acknowledged.

import { ReasonCode } from "@wrenmq/codec";
import type { ClientInfo, HookChain, PluginMessage, UserProperties } from "@wrenmq/plugin-api";
import { DEFERRED, Message, type Millis, type Verdict } from "@wrenmq/protocol";
import type { AuthorizationCache } from "../access/authorization-cache.ts";
import { decidePublish, type PublishDecision } from "../access/publish-policy.ts";
import type { AckReceiver } from "../routing/ack-barrier.ts";
import { pluginMessage } from "../routing/plugin-message.ts";
import type { PublishWaits } from "../routing/publish-waits.ts";
import type { MessageTap } from "../sessions/message-taps.ts";
import type { ListenerScope } from "./services.ts";

/** A connection whose client publishes. */
export interface Publisher extends AckReceiver {
  readonly scope: ListenerScope;
  readonly client: ClientInfo;
  readonly access: AuthorizationCache;
  readonly isOpen: boolean;
  /** Reused for each message. */
  readonly waits: PublishWaits;
  /**
   * The next PUBLISH is processed after `decision`: see `concludePublish`.
   * @returns PUBLISH_PARKED
   */
  parkPublish(decision: Promise<PublishDecision>, packetId: number): number;
  /** PUBLISH packets wait until the other brokers read what they are sent. */
  pauseForPeers(): void;
}

/** @returns a reason code, DEFERRED or PUBLISH_PARKED */
export function publish(publisher: Publisher, message: Message, packetId: number, now: Millis): number {
  const { broker, chain, limits } = publisher.scope;
  if (chain.observe.received !== undefined) chain.observe.received(publisher.client, pluginMessage(message));
  const verdict = publisher.access.publish(message);
  if (verdict instanceof Promise) return publisher.parkPublish(decideLater(publisher, message, verdict), packetId);
  if (verdict.reasonCode < 0x80 && chain.publish === undefined && broker.factLog?.failing === undefined) {
    return route(publisher, message, packetId, now);
  }
  const decision = decidePublish(broker, chain, publisher.client, message, verdict, limits);
  if (decision instanceof Promise) return publisher.parkPublish(decision, packetId);
  return concludePublish(publisher, decision, packetId, now);
}

/** Continues with the decision. */
export function concludePublish(
  publisher: Publisher,
  decision: PublishDecision,
  packetId: number,
  now: Millis,
): number {
  if (typeof decision === "number") return decision;
  // The client has disconnected and will send again what was not acknowledged: taken now, it would be taken twice.
  if (!publisher.isOpen && decision.qos > 0) return ReasonCode.UnspecifiedError;
  return route(publisher, decision, packetId, now);
}

// A closure is in a function of its own: on the path of most messages it would cost each one a context on the heap.
function decideLater(publisher: Publisher, message: Message, verdict: Promise<Verdict>): Promise<PublishDecision> {
  const { broker, chain, limits } = publisher.scope;
  return verdict.then((answer) => decidePublish(broker, chain, publisher.client, message, answer, limits));
}

function route(publisher: Publisher, message: Message, packetId: number, now: Millis): number {
  const { tracing } = publisher.scope.chain;
  if (tracing?.wants(message) === true) return routeTraced(publisher, tracing, message, packetId, now);
  return routeNow(publisher, message, packetId, now);
}

/** With a plugin that follows the message: everything that is tapped until it is routed happens to this message. */
function routeTraced(
  publisher: Publisher,
  tracing: NonNullable<HookChain["tracing"]>,
  message: Message,
  packetId: number,
  now: Millis,
): number {
  const given = pluginMessage(message);
  const trace = tracing.begin(publisher.client, given);
  if (trace === undefined) return routeNow(publisher, message, packetId, now);
  const { messageTaps } = publisher.scope.broker;
  const tap: MessageTap = {
    delivered: (clientId, _message, { qos, waited }) => {
      if (!waited) trace.delivered(clientId, qos);
    },
    queued: (clientId) => trace.queued(clientId),
    dropped: (clientId, _message, reason) => trace.dropped(clientId, reason),
  };
  messageTaps.add(tap);
  let outcome: number = DEFERRED;
  try {
    outcome = routeNow(publisher, withUserProperties(message, given, trace.userProperties), packetId, now);
    return outcome;
  } finally {
    messageTaps.delete(tap);
    trace.end(outcome === DEFERRED ? undefined : (outcome as ReasonCode));
  }
}

function withUserProperties(message: Message, copy: PluginMessage, userProperties?: UserProperties): Message {
  if (userProperties === undefined) return message;
  const properties = { ...copy.properties, userProperties };
  return Message.of(message.target, { ...copy, properties, expiresAt: message.expiresAt });
}

function routeNow(publisher: Publisher, message: Message, packetId: number, now: Millis): number {
  const { scope, waits } = publisher;
  const { broker, chain } = scope;
  if (chain.observe.published !== undefined) chain.observe.published(publisher.client, pluginMessage(message));
  waits.packetId = message.qos === 2 ? packetId : 0;
  waits.isSentAgain = message.qos === 1;
  const outcome = broker.router.publish(message, now, waits);
  if (waits.isEmpty) return outcome;
  if (waits.peerBackpressure) publisher.pauseForPeers();
  if (message.qos === 0 || outcome >= 0x80 || broker.ackBarrier.isOpen(waits)) return outcome;
  broker.ackBarrier.wait(waits, outcome, publisher, packetId);
  return DEFERRED;
}
