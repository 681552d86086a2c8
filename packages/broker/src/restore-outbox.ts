// Restores messages that were in transit when the broker stopped: to other brokers, or to sessions about which a plugin
// had not decided. When all receivers have them their publishers are acknowledged.

import { ReasonCode } from "@wrenmq/codec";
import type { Message, Millis, Session } from "@wrenmq/protocol";
import type { OutboxEntry, OutboxTarget, Store } from "@wrenmq/store";
import { atHome } from "./clustering/homes.ts";
import { reassign } from "./clustering/outbox-resumption.ts";
import type { BrokerCore } from "./core.ts";
import { PublishWaits } from "./routing/publish-waits.ts";
import { restoreMessage } from "./sessions/stored-session.ts";

/** Call it when all sessions are restored. */
export function restoreOutbox(core: BrokerCore, store: Store): void {
  const { topics, cluster, clock, registry, outbox } = core;
  cluster?.begin(store);
  const now = clock.now();
  for (const { entry, message: stored } of [...store.outbox()]) {
    const message = restoreMessage(topics, stored, entry.messageId);
    if (message === undefined) {
      // The limits do not allow its topic any more.
      core.factLog?.record({ op: "settleOutbox", number: entry.number }, undefined);
      continue;
    }
    outbox?.restored(entry, message);
    const session = entry.packetId > 0 ? registry.get(entry.clientId)?.session : undefined;
    if (session?.inbound?.has(entry.packetId) === true) session.inbound.defer(entry.packetId);
    const [target] = entry.targets;
    const receiver = target?.kind === "session" ? registry.get(target.clientId)?.session : undefined;
    if (target?.kind === "session" && (receiver !== undefined || target.sharedFilter === undefined)) {
      deliverUndecided(receiver, target, message, now);
      outbox?.settle(entry.number);
    } else if (cluster !== undefined) cluster.resume(entry, message, session);
    else {
      routeHere(core, store, entry, message, session, now);
      outbox?.settle(entry.number);
    }
  }
}

/** The plugin is called again before the message is sent, as for everything that was queued under other rules. */
function deliverUndecided(
  session: Session | undefined,
  { qos, retain, subscriptionIdentifiers, sharedFilter }: Extract<OutboxTarget, { kind: "session" }>,
  message: Message,
  now: Millis,
): void {
  session?.deliver(message, { qos, retain, subscriptionIdentifiers, sharedFilter }, now);
  session?.recheckQueue();
}

/** Of several brokers only this one is left, with the sessions of all. */
function routeHere(
  { router }: BrokerCore,
  store: Store,
  { targets, packetId }: OutboxEntry,
  message: Message,
  session: Session | undefined,
  now: Millis,
): void {
  const waits = new PublishWaits();
  for (const target of targets) {
    if (target.kind === "unrouted") router.publish(message, now, waits);
    if (target.kind === "session") reassign(router, target, message, now);
    if (target.kind === "unrouted" || target.kind === "session") continue;
    const { recipients } = router.routes.find(message.target);
    if (target.retainedAt > setAt(store, message.topic)) router.replicateRetained(message, target.retainedAt, waits);
    if (target.plain) router.deliverAll(atHome(recipients, target.homes), message, now, waits);
    for (const filter of target.groups) {
      const group = router.routes.group(filter);
      if (group !== undefined) router.deliverShared(group, message, now, waits);
    }
  }
  session?.settleInbound(packetId, ReasonCode.Success);
}

/** When the topic's retained message was set or cleared; 0: unknown. */
function setAt(store: Store, topic: string): number {
  for (const stamp of store.retainedStamps()) if (stamp.topic === topic) return stamp.setAt;
  return 0;
}
