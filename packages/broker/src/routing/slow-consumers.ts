// The deadline of sessions whose full queues hold publishers, and the log lines about those that do not keep up. One
// timer for each such session, however many publishers and messages wait.
import type { Logger } from "@wrenmq/plugin-api";
import type { Millis, Session } from "@wrenmq/protocol";
import type { Clock } from "../runtime/clock.ts";
import type { Timers } from "../runtime/timers.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

export interface SlowConsumerParts {
  readonly registry: SessionRegistry;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

export class SlowConsumers {
  readonly #parts: SlowConsumerParts;

  constructor(parts: SlowConsumerParts) {
    this.#parts = parts;
  }

  /** The session's queue has passed its bound: publishers wait from now on. */
  congested(session: Session): void {
    const { registry, clock } = this.#parts;
    const entry = registry.get(session.clientId);
    if (entry?.session === session) this.#watch(entry, clock.now());
  }

  caughtUp({ clientId }: Session, dropped: number): void {
    this.#parts.logger.info({ clientId, dropped }, "the client keeps up again");
  }

  /** A timer that is set already is kept: when it fires it checks the present time. */
  #watch(entry: SessionEntry, since: Millis): void {
    const { backpressureTimeout } = entry.session.limits;
    if (backpressureTimeout === Number.POSITIVE_INFINITY || entry.backpressureTimer !== undefined) return;
    entry.backpressureTimer = this.#parts.timers.at(since + backpressureTimeout, (now) => this.#check(entry, now));
  }

  #check(entry: SessionEntry, now: Millis): void {
    entry.backpressureTimer = undefined;
    const { session } = entry;
    const since = session.congestedSince;
    if (since === undefined) return;
    if (since + session.limits.backpressureTimeout <= now) this.#giveUp(session);
    else this.#watch(entry, since);
  }

  #giveUp(session: Session): void {
    const { clientId, queued } = session;
    const { backpressureTimeout } = session.limits;
    session.stopHolding();
    this.#parts.logger.warn(
      { clientId, queued, backpressureTimeout },
      "the client does not keep up: what is new for it is dropped until its queue is below half of its bound",
    );
  }
}
