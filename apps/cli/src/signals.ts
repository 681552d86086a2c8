// What the process does when it is told to stop or to read its configuration again.
import type { Logger } from "@wrenmq/plugin-api";

/**
 * Milliseconds in which a further signal counts as the same one: a terminal sends Ctrl-C to the whole group, and npm
 * sends it once more to its child.
 */
const SAME_SIGNAL = 300;

export interface SignalActions {
  readonly logger: Logger;
  /** At the first SIGINT or SIGTERM. A second one ends the process at once, with exit code 1. */
  stop(): void;
  /** At SIGHUP. */
  reload(): void;
}

export function listenToSignals({ logger, stop, reload }: SignalActions): void {
  let stoppingSince: number | undefined;
  const onStop = (signal: NodeJS.Signals): void => {
    if (stoppingSince === undefined) {
      stoppingSince = performance.now();
      logger.info({ signal }, "shutting down");
      stop();
    } else if (performance.now() - stoppingSince >= SAME_SIGNAL) {
      logger.warn({ signal }, "stopped at once: clients were not told");
      process.exit(1);
    }
  };
  process.on("SIGINT", onStop);
  process.on("SIGTERM", onStop);
  process.on("SIGHUP", () => {
    if (stoppingSince === undefined) reload();
  });
}
