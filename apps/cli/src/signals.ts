// Handles signals to stop and to reload.
import type { Logger } from "@wrenmq/plugin-api";

/**
 * Milliseconds in which another signal counts as the same: a terminal sends Ctrl-C to the whole group, and npm sends it
 * again to its child.
 */
const SAME_SIGNAL = 300;

/**
 * From now on SIGHUP does not end the process. Call it before anything that takes time; `untilSignalled` handles SIGHUP
 * when there is something to reload.
 */
export function outliveHangUps(): void {
  process.on("SIGHUP", () => {});
}

/**
 * Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, with exit code 1.
 * @param reload called at SIGHUP
 */
export function untilSignalled(logger: Logger, reload: () => void): Promise<void> {
  return new Promise((resolve) => {
    let since: number | undefined;
    const stop = (signal: NodeJS.Signals): void => {
      if (since === undefined) {
        since = performance.now();
        logger.info({ signal }, "shutting down");
        resolve();
      } else if (performance.now() - since >= SAME_SIGNAL) {
        logger.warn({ signal }, "stopped at once: clients were not told");
        process.exit(1);
      }
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
    process.on("SIGHUP", () => {
      if (since === undefined) reload();
    });
  });
}
