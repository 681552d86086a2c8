// PUBLISH from a client: allowed, changed by plugins, routed; and when it may be acknowledged, which is after everybody
// who has to think has thought, everybody who is behind has caught up, and what had to be written down is durable.

import { ForwardResult, ForwardRun, type ForwardTicket } from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { MaybePromise, PluginMessage } from "@wrenmq/plugin-api";
import {
  DEFERRED,
  type DropReason,
  isAllowed,
  Message,
  type Millis,
  type Session,
  type Verdict,
} from "@wrenmq/protocol";
import type { FactLog } from "../persistence/fact-log.ts";
import { pluginMessage } from "../routing/router.ts";
import type { AuthorizationCache } from "./authorization-cache.ts";
import type { ClientConnection } from "./client-connection.ts";

/** The message that is to be routed (plugins may have changed it), or the reason code that refuses it. */
export type Judged = Message | ReasonCode;

/** @returns a reason code, DEFERRED or PUBLISH_PARKED */
export function publish(driver: ClientConnection, message: Message, now: Millis): number {
  const { broker, chain } = driver.context;
  if (chain.observe.received !== undefined) chain.observe.received(driver.client, pluginMessage(message));
  const verdict = (driver.access as AuthorizationCache).publish(message.target);
  if (verdict instanceof Promise) return driver.park(judgeLater(driver, message, verdict));
  if (verdict.reasonCode < 0x80 && chain.publish === undefined && broker.factLog?.failing === undefined) {
    return route(driver, message, now);
  }
  const judged = judge(driver, message, verdict);
  return judged instanceof Promise ? driver.park(judged) : conclude(driver, judged, now);
}

/** What follows from the judgement, as soon as there is one. */
export function conclude(driver: ClientConnection, judged: Judged, now: Millis): number {
  if (typeof judged === "number") return judged;
  // The client is gone and will send again what was not acknowledged: taken now, it would be taken twice.
  if (!driver.isOpen && judged.qos > 0) return ReasonCode.UnspecifiedError;
  return route(driver, judged, now);
}

// Here and below closures have functions of their own: where most messages pass they would cost every one a context on
// the heap, used or not.
function judgeLater(driver: ClientConnection, message: Message, verdict: Promise<Verdict>): Promise<Judged> {
  return verdict.then((answer) => judge(driver, message, answer));
}

function judge(driver: ClientConnection, message: Message, verdict: Verdict): MaybePromise<Judged> {
  if (!isAllowed(verdict)) return refused(driver, message, "notAuthorized", verdict.reasonCode);
  const { broker, chain } = driver.context;
  if (broker.factLog?.failing !== undefined && (message.qos > 0 || message.retain)) {
    return refused(driver, message, "storeFull", ReasonCode.QuotaExceeded);
  }
  if (chain.publish === undefined) return message;
  const changed = chain.publish(driver.client, pluginMessage(message));
  return changed instanceof Promise
    ? changed.then((answer) => transformed(driver, message, answer))
    : transformed(driver, message, changed);
}

function transformed(driver: ClientConnection, message: Message, answer: PluginMessage | Verdict): Judged {
  if ("reasonCode" in answer) return refused(driver, message, "notAuthorized", answer.reasonCode);
  const target = driver.context.broker.topics.find(answer.topic);
  if (target === undefined) return refused(driver, message, "invalidTopic", ReasonCode.TopicNameInvalid);
  return Message.of(target, { ...answer, expiresAt: message.expiresAt });
}

function refused(driver: ClientConnection, message: Message, reason: DropReason, reasonCode: ReasonCode): ReasonCode {
  const { entry } = driver;
  if (entry !== undefined) driver.context.broker.router.dropped(entry.session, message, reason);
  return reasonCode;
}

function route(driver: ClientConnection, message: Message, now: Millis): number {
  const { broker, chain } = driver.context;
  const { router, factLog } = broker;
  if (chain.observe.published !== undefined) chain.observe.published(driver.client, pluginMessage(message));
  const before = factLog?.recorded;
  if (router.cluster !== undefined) router.cluster.waiter = driver;
  const outcome = router.publish(message, now);
  const { congested, pendingAuthorization } = router;
  if (
    congested === undefined &&
    pendingAuthorization === undefined &&
    before === factLog?.recorded &&
    router.cluster === undefined
  ) {
    return outcome;
  }
  const { forwarding, peerBackpressure } = router;
  router.beginPublish();
  if (peerBackpressure) driver.pauseForPeers();
  if (message.qos === 0 || outcome >= 0x80) return outcome;
  // A turn of the event loop may bring many messages and one commit: what is recorded is acknowledged after it.
  const isSettled = before === factLog?.recorded || factLog?.isSettled === true;
  if (congested === undefined && pendingAuthorization === undefined && forwarding === undefined && isSettled)
    return outcome;
  const packetId = driver.machine.publishingPacketId;
  // Only where there is nobody else to wait for.
  if (forwarding instanceof ForwardRun) forwarding.packetIds.push(packetId);
  else if (pendingAuthorization === undefined) settleLater(driver, packetId, outcome, congested, forwarding);
  else settleAfter(pendingAuthorization, driver, packetId, outcome, congested, forwarding);
  return DEFERRED;
}

function settleAfter(
  pendingAuthorization: readonly Promise<Session | undefined>[],
  driver: ClientConnection,
  packetId: number,
  outcome: number,
  congested: Session | undefined,
  forwarding: ForwardTicket | undefined,
): void {
  void Promise.all(pendingAuthorization).then((sessions) => {
    const behind = congested ?? sessions.find((session) => session !== undefined);
    settleLater(driver, packetId, outcome, behind, forwarding);
  });
}

function settleLater(
  driver: ClientConnection,
  packetId: number,
  outcome: number,
  congested: Session | undefined,
  forwarding: ForwardTicket | undefined,
): void {
  if (congested !== undefined) whenRelieved(congested, driver, packetId, outcome, forwarding);
  else if (forwarding === undefined) settle(driver, [packetId], outcome);
  else if (forwarding.waiting > 0) whenAnswered(forwarding, driver, packetId, outcome);
  else answered(forwarding, driver, packetId, outcome);
}

function whenRelieved(
  congested: Session,
  driver: ClientConnection,
  packetId: number,
  outcome: number,
  forwarding: ForwardTicket | undefined,
): void {
  congested.whenRelieved(() => settleLater(driver, packetId, outcome, undefined, forwarding));
}

function whenAnswered(ticket: ForwardTicket, driver: ClientConnection, packetId: number, outcome: number): void {
  ticket.whenSettled = () => answered(ticket, driver, packetId, outcome);
}

/** All peers have said what became of a message. */
function answered(ticket: ForwardTicket, driver: ClientConnection, packetId: number, outcome: number): void {
  if (ticket.refused) driver.settle(packetId, ReasonCode.QuotaExceeded);
  else if (ticket.peersOnly && !ticket.received) settle(driver, [packetId], ReasonCode.NoMatchingSubscribers);
  else settle(driver, [packetId], outcome);
}

/** A peer has said what became of `count` messages of a run, from the one at index `from` on. */
export function settleRun(
  driver: ClientConnection,
  { packetIds, peersOnly }: ForwardRun,
  from: number,
  count: number,
  result: ForwardResult,
): void {
  const settled = packetIds.slice(from, from + count);
  if (result === ForwardResult.Refused) settleNow(driver, settled, ReasonCode.QuotaExceeded);
  else if (result === ForwardResult.Nobody && peersOnly) settle(driver, settled, ReasonCode.NoMatchingSubscribers);
  else settle(driver, settled, ReasonCode.Success);
}

/** As soon as all is written down. */
function settle(driver: ClientConnection, packetIds: readonly number[], outcome: number): void {
  const { factLog } = driver.context.broker;
  if (factLog === undefined || factLog.isSettled) settleNow(driver, packetIds, outcome);
  else settleWhenDurable(factLog, driver, packetIds, outcome);
}

function settleWhenDurable(
  factLog: FactLog,
  driver: ClientConnection,
  packetIds: readonly number[],
  outcome: number,
): void {
  factLog.whenDurable((error) => {
    if (error === undefined) {
      settleNow(driver, packetIds, outcome);
      return;
    }
    // What is held is on its way already and will be in the store when that recovers: it must not be sent again.
    const held = driver.entry?.session.inbound;
    const mayComeAgain = packetIds.filter((packetId) => held?.has(packetId) !== true);
    const mustNot = packetIds.filter((packetId) => held?.has(packetId) === true);
    settleNow(driver, mayComeAgain, ReasonCode.QuotaExceeded);
    if (mustNot.length > 0) factLog.whenRecovered(() => settle(driver, mustNot, outcome));
  });
}

function settleNow(driver: ClientConnection, packetIds: readonly number[], outcome: number): void {
  for (const packetId of packetIds) driver.settle(packetId, outcome);
}
