// Logs each PUBLISH and subscription that access rules refuse, with the rule, in a bounded number of lines for each
// client: a device that retries for ever neither fills the disk nor hides other problems.
import type { ClientInfo, Logger } from "@wrenmq/plugin-api";
import type { Millis, Verdict } from "@wrenmq/protocol";
import type { Clock } from "./clock.ts";
import type { Timers } from "./timers.ts";

/** Lines for one connection of a client within a window. */
const LINES = 5;
const WINDOW: Millis = 60_000;

interface Window {
  readonly since: Millis;
  logged: number;
  unlogged: number;
}

export class RefusalLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** By connected client; ends with the connection. */
  readonly #windows = new WeakMap<ClientInfo, Window>();

  constructor(logger: Logger, clock: Clock, timers: Timers) {
    this.#logger = logger;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** At debug, and so without a bound: what many clients do by default, such as bridges. */
  refusedQuietly({ clientId, username }: ClientInfo, topic: string, { reasonCode, rule }: Verdict): void {
    this.#logger.debug({ clientId, username, topic, reasonCode, rule }, "publish refused");
  }

  refused(client: ClientInfo, action: "publish" | "subscribe", topic: string, verdict: Verdict): void {
    const { clientId, username } = client;
    const window = this.#windowOf(client);
    if (window.logged < LINES) {
      window.logged++;
      const { reasonCode, rule } = verdict;
      this.#logger.info({ clientId, username, topic, reasonCode, rule }, `${action} refused`);
      return;
    }
    window.unlogged++;
    if (window.unlogged > 1) return;
    this.#timers.at(window.since + WINDOW, () => {
      const times = window.unlogged;
      this.#logger.info({ clientId, username, times }, "the client was refused more often, line by line no more");
    });
  }

  #windowOf(client: ClientInfo): Window {
    const now = this.#clock.now();
    const open = this.#windows.get(client);
    if (open !== undefined && now >= open.since && now < open.since + WINDOW) return open;
    const window = { since: now, logged: 0, unlogged: 0 };
    this.#windows.set(client, window);
    return window;
  }
}
