// The broker's memory of sessions and retained messages across restarts: which sessions are worth it, what is written
// down of them when, and how they come back.
import type { Will } from "@wrenmq/codec";
import type { Store } from "@wrenmq/store";
import type { ClientConnection } from "./connections/client-connection.ts";
import type { BrokerCore } from "./core.ts";
import { FactLog } from "./persistence/fact-log.ts";
import { absentClient } from "./sessions/absent-client.ts";
import type { SessionEntry } from "./sessions/session-registry.ts";
import {
  isWorthStoring,
  makeDurable,
  recordOf,
  restoreMessage,
  restoreSession,
  willFrom,
} from "./sessions/stored-session.ts";

export class Durability {
  readonly factLog: FactLog;
  readonly #store: Store;
  readonly #core: BrokerCore;
  /** The client whose session has ended last, until the next one is remembered. */
  #forgotten: string | undefined = undefined;

  constructor(store: Store, core: BrokerCore) {
    this.#store = store;
    this.#core = core;
    const { timers, logger, clock, flusher } = core;
    this.factLog = new FactLog({
      store,
      timers,
      logger,
      now: () => clock.now(),
      wake: () => flusher.wake(),
      recovered: () => this.#pumpAll(),
    });
  }

  /** Writes down what the session's record says now, if it is to outlive the process. */
  remember(entry: SessionEntry): void {
    if (entry.ended) return;
    const { session } = entry;
    const outbox = (entry.connection as ClientConnection | undefined)?.outbox;
    if (session.expiryInterval > 0 && session.facts === undefined) {
      makeDurable(session, this.#store, this.factLog, this.#core.topics);
    }
    if (isWorthStoring(entry)) {
      const isKnown = entry.stored;
      entry.stored = true;
      this.factLog.putSession(recordOf(entry), isKnown, outbox);
    } else if (outbox !== undefined && this.#forgotten === session.clientId) {
      // A clean start: what CONNACK says has ended must not come back.
      this.factLog.holdBack(outbox);
    }
    this.#forgotten = undefined;
  }

  /** The session has ended. */
  forget(entry: SessionEntry): void {
    entry.session.facts = undefined;
    if (!entry.stored) return;
    this.#forgotten = entry.session.clientId;
    this.factLog.record({ op: "deleteSession", clientId: entry.session.clientId }, undefined);
  }

  /** Brings back what was there when the broker stopped, however it stopped. */
  restore(): void {
    this.factLog.continueAfter(this.#store.stats().lastMessageId);
    this.#restoreRetained();
    const restored = this.#restoreSessions();
    const { registry, clock, router, logger } = this.#core;
    const now = clock.now();
    // Wills go out when every session is there to have them.
    for (const [entry, will] of restored) {
      const since = entry.session.disconnectedAt ?? now;
      if (will !== undefined) registry.restoreWill(entry, will, since, now);
      if (since + entry.session.expiryInterval * 1000 <= now) {
        registry.end(entry, "expired", now);
        continue;
      }
      this.remember(entry);
      registry.scheduleExpiry(entry);
    }
    logger.info({ sessions: registry.size, retained: router.retained.size }, "restored from the store");
  }

  /** The store is back: queues that continue in it can be read on. */
  #pumpAll(): void {
    const { registry, clock } = this.#core;
    const now = clock.now();
    for (const { session } of registry.values()) if (session.link !== undefined) session.pump(now);
  }

  #restoreRetained(): void {
    const { topics, router, clock } = this.#core;
    const now = clock.now();
    for (const stored of this.#store.retained()) {
      const message = restoreMessage(topics, stored, 0);
      if (message !== undefined && !message.hasExpired(now)) router.retained.set(message);
      else this.factLog.record({ op: "deleteRetained", topic: stored.topic }, undefined);
    }
  }

  #restoreSessions(): [SessionEntry, Will | undefined][] {
    const { topics, router, registry, clock } = this.#core;
    const restored: [SessionEntry, Will | undefined][] = [];
    for (const snapshot of this.#store.sessions()) {
      const { record, subscriptions } = snapshot;
      const entry = registry.create({ ...absentClient(record.clientId), username: record.username });
      entry.stored = true;
      const { session } = entry;
      makeDurable(session, this.#store, this.factLog, topics);
      restoreSession(session, snapshot, this.#store, topics, clock.now());
      for (const [filter, subscription] of subscriptions) {
        router.routes.add(entry, filter, subscription);
        session.setSubscription(filter, subscription);
      }
      restored.push([entry, record.will && willFrom(record.will)]);
    }
    return restored;
  }
}
