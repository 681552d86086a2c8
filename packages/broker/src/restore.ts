// Restores sessions, retained messages and wills from the store, however the broker was stopped.
import type { Will } from "@wrenmq/codec";
import type { Store } from "@wrenmq/store";
import type { BrokerCore } from "./core.ts";
import type { FactLog } from "./persistence/fact-log.ts";
import { restoreOutbox } from "./restore-outbox.ts";
import { absentClient } from "./sessions/absent-client.ts";
import type { SessionEntry } from "./sessions/session-entry.ts";
import { makeDurable, restoreMessage, restoreSession, willFrom } from "./sessions/stored-session.ts";

export function restore(core: BrokerCore, store: Store, factLog: FactLog): void {
  factLog.continueAfter(store.stats().lastMessageId);
  restoreRetained(core, store, factLog);
  if (core.cluster === undefined) forgetClearings(store, factLog);
  const restored = restoreSessions(core, store, factLog);
  const { registry, clock, router, logger } = core;
  restoreOutbox(core, store);
  const now = clock.now();
  // Wills are published when every session is there to get them.
  for (const { entry, will, wasConnected } of restored) {
    const since = entry.session.disconnectedAt ?? now;
    const notBefore = will !== undefined && wasConnected ? now + core.takeoverGrace : now;
    if (will !== undefined) registry.restoreWill(entry, will, since, now, notBefore);
    if (notBefore <= now && since + entry.session.expiryInterval * 1000 <= now) {
      registry.end(entry, "expired", now);
      continue;
    }
    core.sessionFacts?.remember(entry);
    registry.scheduleExpiry(entry);
  }
  logger.info({ sessions: registry.size, retained: router.retained.size }, "restored from the store");
}

function restoreRetained({ topics, router, clock }: BrokerCore, store: Store, factLog: FactLog): void {
  const now = clock.now();
  for (const stored of store.retained()) {
    const message = restoreMessage(topics, stored, 0);
    if (message !== undefined && !message.hasExpired(now)) router.retained.set(message);
    else factLog.record({ op: "deleteRetained", topic: stored.topic }, undefined);
  }
}

/** This broker is alone now: no other can bring back what was cleared. */
function forgetClearings(store: Store, factLog: FactLog): void {
  for (const { topic, isSet } of [...store.retainedStamps()]) {
    if (!isSet) factLog.record({ op: "deleteRetained", topic }, undefined);
  }
}

interface Restored {
  readonly entry: SessionEntry;
  readonly will: Will | undefined;
  /** Was its client connected when the broker ended? */
  readonly wasConnected: boolean;
}

function restoreSessions(core: BrokerCore, store: Store, factLog: FactLog): Restored[] {
  const { topics, router, registry, clock } = core;
  const restored: Restored[] = [];
  for (const snapshot of store.sessions()) {
    const { record, subscriptions } = snapshot;
    const entry = registry.create({ ...absentClient(record.clientId), username: record.username });
    entry.stored = true;
    const { session } = entry;
    makeDurable(session, store, factLog, topics);
    restoreSession(session, snapshot, store, topics, clock.now());
    // The rules may differ from those under which it was queued.
    session.recheckQueue();
    for (const [filter, subscription] of subscriptions) {
      router.routes.add(entry, filter, subscription);
      session.setSubscription(filter, subscription);
    }
    const will = record.will && willFrom(record.will);
    restored.push({ entry, will, wasConnected: record.disconnectedAt === undefined });
  }
  return restored;
}
