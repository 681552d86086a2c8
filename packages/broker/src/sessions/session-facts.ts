// Records the facts of sessions that outlive the process.
import type { TopicTable } from "@wrenmq/protocol";
import type { Store } from "@wrenmq/store";
import type { FactLog } from "../persistence/fact-log.ts";
import type { SessionEntry } from "./session-entry.ts";
import { isWorthStoring, makeDurable, recordOf } from "./stored-session.ts";

export class SessionFacts {
  readonly #store: Store;
  readonly #factLog: FactLog;
  readonly #topics: TopicTable;
  /** Client identifiers of stored sessions whose end is not durable yet. */
  readonly #ending = new Map<string, symbol>();

  constructor(store: Store, factLog: FactLog, topics: TopicTable) {
    this.#store = store;
    this.#factLog = factLog;
    this.#topics = topics;
  }

  /** Records the session's present record, if it is to outlive the process. */
  remember(entry: SessionEntry): void {
    if (entry.ended) return;
    const { session } = entry;
    const outbox = entry.connection?.outbox;
    if (session.expiryInterval > 0 && session.facts === undefined) {
      makeDurable(session, this.#store, this.#factLog, this.#topics);
    }
    if (isWorthStoring(entry)) {
      const isKnown = entry.stored;
      entry.stored = true;
      this.#factLog.putSession(recordOf(entry), isKnown, outbox);
    } else if (outbox !== undefined && this.#ending.has(session.clientId)) {
      // A session that CONNACK reports as ended must not come back.
      this.#factLog.holdBack(outbox);
    }
  }

  /** The session has ended. */
  forget(entry: SessionEntry): void {
    entry.session.facts = undefined;
    if (!entry.stored) return;
    const { clientId } = entry.session;
    this.#factLog.record({ op: "deleteSession", clientId }, undefined);
    const end = Symbol();
    this.#ending.set(clientId, end);
    const ended = (): void => {
      // A later session of the client may be ending, too.
      if (this.#ending.get(clientId) === end) this.#ending.delete(clientId);
    };
    this.#factLog.whenDurable((error) => {
      if (error === undefined) ended();
      else this.#factLog.whenRecovered(ended);
    });
  }
}
