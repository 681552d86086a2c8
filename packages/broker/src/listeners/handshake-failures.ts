// Counts what fails at a listener before a client has its session, and logs it in a bounded number of lines, so that a
// flood of failures neither fills the disk nor hides other problems.
import type { Logger } from "@wrenmq/plugin-api";
import type { Counters, Millis } from "@wrenmq/protocol";
import { type ConnectionInfo, clientHasLeft, ListenerError, printableClient } from "@wrenmq/transport";
import type { Clock } from "../runtime/clock.ts";
import type { Timers } from "../runtime/timers.ts";

/** Lines of one kind within a window. */
const LINES = 10;
const WINDOW: Millis = 10_000;

interface Window {
  readonly since: Millis;
  logged: number;
  unlogged: number;
}

export interface HandshakeFailuresOptions {
  readonly listener: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counters: Counters;
}

export class HandshakeFailures {
  readonly #options: HandshakeFailuresOptions;
  readonly #windows = new Map<string, Window>();

  constructor(options: HandshakeFailuresOptions) {
    this.#options = options;
  }

  /** Takes errors of the transport's listener. */
  report(error: Error): void {
    const { logger, listener, counters } = this.#options;
    const code = error instanceof ListenerError ? error.code : "ERR_LISTENER_FAILED";
    if (code === "ERR_LISTENER_HANDSHAKE" || code === "ERR_LISTENER_CERTIFICATE") counters.failedHandshake++;
    else if (code === "ERR_LISTENER_PROXY") counters.failedProxyHeader++;
    // Health checks and port scans.
    if (clientHasLeft(error)) logger.debug({ listener, reason: error.message }, "listener trouble");
    else this.#log(code, error.message);
  }

  /** A client was disconnected because of an invalid packet instead of CONNECT, or an invalid CONNECT. */
  protocolFailure(client: ConnectionInfo, reason: string): void {
    this.#log("misspoke", `connection from ${printableClient(client)} closed: ${reason}`);
  }

  #log(kind: string, reason: string): void {
    const { logger, listener, clock, timers } = this.#options;
    const now = clock.now();
    let window = this.#windows.get(kind);
    if (window === undefined || now < window.since || now >= window.since + WINDOW) {
      window = { since: now, logged: 0, unlogged: 0 };
      this.#windows.set(kind, window);
    }
    if (window.logged < LINES) {
      window.logged++;
      logger.warn({ listener, reason }, "listener trouble");
      return;
    }
    window.unlogged++;
    if (window.unlogged > 1) return;
    const flooded = window;
    timers.at(flooded.since + WINDOW, () => {
      logger.warn(
        { listener, such: reason, times: flooded.unlogged },
        "listener trouble went on, line by line no more",
      );
    });
  }
}
