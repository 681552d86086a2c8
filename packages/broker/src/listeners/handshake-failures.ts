// Counts what fails at a listener before a client has its session, and logs it in a bounded number of lines, so that a
// flood of failures neither fills the disk nor hides other problems.
import type { Logger } from "@wrenmq/plugin-api";
import type { Counters, Millis } from "@wrenmq/protocol";
import { type ConnectionInfo, clientHasLeft, ListenerError, printableClient } from "@wrenmq/transport";
import type { Clock } from "../runtime/clock.ts";
import { LineLimit, type LineWindow } from "../runtime/line-limit.ts";
import type { Timers } from "../runtime/timers.ts";

/** Lines of one kind within a window. */
const LINES = 10;
const WINDOW: Millis = 10_000;

export interface HandshakeFailuresOptions {
  readonly listener: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counters: Counters;
}

export class HandshakeFailures {
  readonly #options: HandshakeFailuresOptions;
  readonly #limit: LineLimit;
  /** By kind of failure. */
  readonly #windows = new Map<string, LineWindow>();

  constructor(options: HandshakeFailuresOptions) {
    this.#options = options;
    this.#limit = new LineLimit({ clock: options.clock, timers: options.timers, lines: LINES, window: WINDOW });
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
    this.#log("protocol failure", `connection from ${printableClient(client)} closed: ${reason}`);
  }

  #log(kind: string, reason: string): void {
    const { logger, listener } = this.#options;
    const window = this.#limit.log(
      this.#windows.get(kind),
      () => logger.warn({ listener, reason }, "listener trouble"),
      (times) => logger.warn({ listener, such: reason, times }, "listener trouble went on, line by line no more"),
    );
    this.#windows.set(kind, window);
  }
}
