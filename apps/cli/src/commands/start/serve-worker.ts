// `wrenmq start` with several workers: what each worker runs.
import { answersOf } from "@wrenmq/admin/members";
import { createBroker } from "@wrenmq/broker";
import type { WrenConfig } from "@wrenmq/config";
import { configToOptions, type Preparation, prepareForClients, Reloader, shareOf } from "@wrenmq/host";
import { runWorker } from "@wrenmq/workers";
import { lineOf } from "../../errors.ts";
import { createLogger, practiceLogger } from "../../logging.ts";
import { untilSignalled } from "../../signals.ts";

/** Resolves when the supervisor (or a signal) has ended it. Errors go to the supervisor. */
export function serveWorker(): Promise<void> {
  return runWorker<WrenConfig>({
    describe: lineOf,
    async createBroker(whole, { worker, count, options: place }) {
      const config = shareOf(whole, worker, count);
      const logger = createLogger(config.log).child({ worker, pid: process.pid });
      const options = { ...(await configToOptions(config, logger)), dropHistory: true, ...place };
      const broker = createBroker(options);
      const reloader = new Reloader(broker, { config, plugins: options.plugins ?? [] });
      let warm: Preparation | undefined;
      return {
        broker,
        ...answersOf(broker, logger),
        // Workers get SIGHUP too, but only the supervisor reloads.
        ended: untilSignalled(logger, () => {}),
        started() {
          const practice = practiceLogger(config.log).child({ worker, pid: process.pid });
          warm = prepareForClients(broker, config, { logger, practiceLogger: practice, describe: lineOf });
        },
        async prepare(wanted) {
          const change = await reloader.prepare(shareOf(wanted, worker, count));
          return {
            abort: () => change.abort(),
            async commit() {
              await change.commit();
              logger.level = wanted.log.level;
            },
          };
        },
        async stop() {
          await warm?.stop();
          await broker.shutdown();
        },
      };
    },
  });
}
