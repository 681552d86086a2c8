// All sessions by client identifier, and what happens to them when connections come and go: takeover, resumption,
// expiry, the will.
import type { Will } from "@wrenmq/codec";
import type { ClientInfo } from "@wrenmq/plugin-api";
import type { Millis, Seconds, Session } from "@wrenmq/protocol";
import type { Timers } from "../runtime/timers.ts";
import { type SessionConnection, SessionEntry } from "./session-entry.ts";

export interface RegistryEvents {
  /** The session is new. */
  created(entry: SessionEntry): void;
  resumed(entry: SessionEntry): void;
  takenOver(entry: SessionEntry): void;
  /** The session's record has changed: expiry interval, will, connected or not. */
  changed(entry: SessionEntry): void;
  ended(entry: SessionEntry, reason: SessionEnd): void;
  publishWill(entry: SessionEntry, will: Will, now: Millis): void;
}
export type SessionEnd = "expired" | "clean" | "otherUser" | "removed";

/**
 * Messages that wait in a user's session were allowed to that user: another user with the same client identifier must
 * not get them.
 */
function mayResume(client: ClientInfo, { username }: Session): boolean {
  return username === undefined || username === client.username;
}

/** Infinity: never, or it is connected. */
function expiresAt({ disconnectedAt, expiryInterval }: Session): Millis {
  return disconnectedAt === undefined ? Number.POSITIVE_INFINITY : disconnectedAt + expiryInterval * 1000;
}

export class SessionRegistry {
  readonly #sessions = new Map<string, SessionEntry>();
  readonly #timers: Timers;
  readonly #events: RegistryEvents;
  readonly #newSession: (clientId: string) => Session;
  /**
   * Sessions whose clients were connected when the broker ended, until when their wills wait: the clients may come back.
   */
  readonly #graces = new Map<SessionEntry, Millis>();
  connected: number = 0;
  /** The highest number of clients that were connected at the same time. */
  maximum: number = 0;
  /** Number of sessions that outlive their connections. */
  lasting: number = 0;

  constructor(timers: Timers, newSession: (clientId: string) => Session, events: RegistryEvents) {
    this.#timers = timers;
    this.#newSession = newSession;
    this.#events = events;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(clientId: string): SessionEntry | undefined {
    return this.#sessions.get(clientId);
  }

  isConnected(clientId: string): boolean {
    return this.#sessions.get(clientId)?.connection !== undefined;
  }

  values(): IterableIterator<SessionEntry> {
    return this.#sessions.values();
  }

  /**
   * Would a session with this expiry interval be an additional lasting one? A client that has one resumes or replaces
   * it.
   */
  isOneMore(clientId: string, expiryInterval: Seconds): boolean {
    return expiryInterval > 0 && this.#sessions.get(clientId)?.lasts !== true;
  }

  /** A client connects: resumes its session, or makes a new one. [MQTT5 3.1.2.4] */
  connect(
    connection: SessionConnection,
    wanted: { readonly cleanStart: boolean; readonly expiryInterval: Seconds; readonly will: Will | undefined },
    now: Millis,
  ): { readonly entry: SessionEntry; readonly present: boolean } {
    const { client } = connection;
    let entry = this.#sessions.get(client.clientId);
    if (entry?.connection !== undefined) {
      this.#events.takenOver(entry);
      entry.connection.takenOver();
      // Ending the old connection may have ended the session too.
      entry = this.#sessions.get(client.clientId);
    }
    // Its timer may be late: an expired session is not resumed. [MQTT-4.1.0-2]
    if (entry !== undefined && expiresAt(entry.session) <= now) {
      // Its connection was not lost by the client.
      if (this.#graceOf(entry) > now) this.#dropWill(entry);
      this.end(entry, "expired", now);
      entry = undefined;
    }
    if (entry !== undefined && (wanted.cleanStart || !mayResume(client, entry.session))) {
      this.end(entry, wanted.cleanStart ? "clean" : "otherUser", now);
      entry = undefined;
    }
    const present = entry !== undefined;
    entry ??= this.create(client);
    const { session } = entry;
    entry.expiryTimer?.cancel();
    this.#dropWill(entry); // [MQTT-3.1.3-9]: the client is back before the delay has passed
    this.#graces.delete(entry);
    entry.connection = connection;
    entry.client = client;
    session.username = client.username;
    session.expiryInterval = wanted.expiryInterval;
    this.#count(entry);
    session.will = wanted.will;
    session.disconnectedAt = undefined;
    this.connected++;
    this.maximum = Math.max(this.maximum, this.connected);
    if (present) this.#events.resumed(entry);
    else this.#events.created(entry);
    this.#events.changed(entry);
    return { entry, present };
  }

  /** Makes a session without a connection. */
  create(client: ClientInfo): SessionEntry {
    const entry = new SessionEntry(this.#newSession(client.clientId), client);
    this.#sessions.set(client.clientId, entry);
    return entry;
  }

  /**
   * The connection has ended. `entry.session.will` is the will to publish.
   * @param tell called when the session has no connection any more, before its will or its end
   */
  disconnected(entry: SessionEntry, now: Millis, tell?: () => void): void {
    const { session } = entry;
    entry.connection = undefined;
    this.connected--;
    session.detach(now);
    const { will } = session;
    session.will = undefined;
    tell?.();
    if (will !== undefined) this.#scheduleWill(entry, will, now);
    if (session.expiryInterval === 0) this.end(entry, "expired", now);
    else {
      this.#events.changed(entry);
      this.scheduleExpiry(entry);
    }
  }

  /** For a session that is not connected. */
  scheduleExpiry(entry: SessionEntry): void {
    this.#count(entry);
    const time = Math.max(expiresAt(entry.session), this.#graceOf(entry));
    if (time === Number.POSITIVE_INFINITY) return;
    entry.expiryTimer = this.#timers.at(time, (now) => this.end(entry, "expired", now));
  }

  /**
   * Sets up a will that was not sent when the broker stopped; for a session that is not connected.
   * @param notBefore until then it waits whether its client comes back, and the session with it
   */
  restoreWill(entry: SessionEntry, will: Will, disconnectedAt: Millis, now: Millis, notBefore: Millis): void {
    if (notBefore > now) this.#graces.set(entry, notBefore);
    this.#scheduleWill(entry, will, disconnectedAt, now);
  }

  end(entry: SessionEntry, reason: SessionEnd, now: Millis): void {
    if (entry.ended) return;
    entry.ended = true;
    this.#graces.delete(entry);
    this.#count(entry);
    entry.expiryTimer?.cancel();
    entry.willTimer?.cancel();
    const { pendingWill } = entry;
    entry.pendingWill = undefined;
    // The session ends before the delay: the will is published now. [MQTT-3.1.2-10]
    if (pendingWill !== undefined) this.#events.publishWill(entry, pendingWill, now);
    this.#sessions.delete(entry.session.clientId);
    this.#events.ended(entry, reason);
    entry.session.end();
  }

  clear(): void {
    this.#sessions.clear();
    this.#graces.clear();
    this.connected = 0;
    this.lasting = 0;
  }

  #graceOf(entry: SessionEntry): Millis {
    return this.#graces.size === 0 ? 0 : (this.#graces.get(entry) ?? 0);
  }

  #dropWill(entry: SessionEntry): void {
    entry.willTimer?.cancel();
    entry.pendingWill = undefined;
  }

  #count(entry: SessionEntry): void {
    const lasts = !entry.ended && entry.session.expiryInterval > 0;
    if (lasts === entry.lasts) return;
    entry.lasts = lasts;
    this.lasting += lasts ? 1 : -1;
  }

  #scheduleWill(entry: SessionEntry, will: Will, since: Millis, now: Millis = since): void {
    const delay = Math.min(will.properties?.willDelayInterval ?? 0, entry.session.expiryInterval);
    const due = Math.max(since + delay * 1000, this.#graceOf(entry));
    if (due <= now) {
      this.#events.publishWill(entry, will, now);
      return;
    }
    entry.pendingWill = will;
    entry.willTimer = this.#timers.at(due, (then) => {
      entry.pendingWill = undefined;
      this.#events.publishWill(entry, will, then);
      this.#events.changed(entry);
    });
  }
}
