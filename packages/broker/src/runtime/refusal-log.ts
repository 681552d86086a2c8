// Logs each PUBLISH and subscription that access rules refuse, with the rule, in a bounded number of lines for each
// client: a device that retries for ever neither fills the disk nor hides other problems.
import type { ClientInfo, Logger } from "@wrenmq/plugin-api";
import type { Millis, Verdict } from "@wrenmq/protocol";
import type { Clock } from "./clock.ts";
import { LineLimit, type LineWindow } from "./line-limit.ts";
import type { Timers } from "./timers.ts";

/** Lines for one connection of a client within a window. */
const LINES = 5;
const WINDOW: Millis = 60_000;

export class RefusalLog {
  readonly #logger: Logger;
  readonly #limit: LineLimit;
  /** By connected client; ends with the connection. */
  readonly #windows = new WeakMap<ClientInfo, LineWindow>();

  constructor(logger: Logger, clock: Clock, timers: Timers) {
    this.#logger = logger;
    this.#limit = new LineLimit({ clock, timers, lines: LINES, window: WINDOW });
  }

  /** At debug, and so without a bound: what many clients do by default, such as bridges. */
  refusedQuietly({ clientId, username }: ClientInfo, topic: string, { reasonCode, rule }: Verdict): void {
    this.#logger.debug({ clientId, username, topic, reasonCode, rule }, "publish refused");
  }

  refused(client: ClientInfo, action: "publish" | "subscribe", topic: string, { reasonCode, rule }: Verdict): void {
    const logger = this.#logger;
    const { clientId, username } = client;
    const window = this.#limit.log(
      this.#windows.get(client),
      () => logger.info({ clientId, username, topic, reasonCode, rule }, `${action} refused`),
      (times) => logger.info({ clientId, username, times }, "the client was refused more often, line by line no more"),
    );
    this.#windows.set(client, window);
  }
}
