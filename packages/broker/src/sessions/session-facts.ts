// Which sessions outlive the process: what is written down of them, and when.
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
   * Writes down what the session's record says now, if it is to outlive the process.
   * @param replacesStored its client began it with a clean start in the place of one that was stored
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
      // What CONNACK says has ended must not come back.
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
