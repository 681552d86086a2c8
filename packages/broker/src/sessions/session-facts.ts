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

  constructor(store: Store, factLog: FactLog, topics: TopicTable) {
    this.#store = store;
    this.#factLog = factLog;
    this.#topics = topics;
  }

  /**
   * Records the session's present record, if it is to outlive the process.
   * @param replacesStored the session was begun with a clean start and replaces a stored one
   */
  remember(entry: SessionEntry, replacesStored: boolean = false): void {
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
    } else if (outbox !== undefined && replacesStored) {
      // A session that CONNACK reports as ended must not come back.
      this.#factLog.holdBack(outbox);
    }
  }

  /** The session has ended. */
  forget(entry: SessionEntry): void {
    entry.session.facts = undefined;
    if (!entry.stored) return;
    this.#factLog.record({ op: "deleteSession", clientId: entry.session.clientId }, undefined);
  }
}
