// `wrenmq start` in one process: starts a broker, and stops it after a signal.
import type { Members, shardsAsMembers } from "@wrenmq/admin/members";
import { VERSION } from "@wrenmq/broker";
import { type EffectiveConfig, hostBroker } from "@wrenmq/host";
import { administer } from "../../admin/serve.ts";
import { type ConfigOptions, effectiveConfig } from "../../broker/effective-config.ts";
import { lineOf } from "../../errors.ts";
import { createLogger, practiceLogger } from "../../logging.ts";
import { notifyService, serviceIsReady } from "../../service/systemd.ts";
import { untilSignalled } from "../../signals.ts";

/** Resolves after a clean shutdown. @throws ConfigError, PluginError, ListenerError, StoreError, ClusterError, UsageError */
export async function startSingle(options: ConfigOptions, effective: EffectiveConfig): Promise<void> {
  const { config } = effective;
  const logger = createLogger(config.log);
  const run = new Run(options, logger);
  logger.info({ version: VERSION, node: process.version, config: config.source ?? "none" }, "WrenMQ starts");
  for (let next = effective; ; next = await effectiveConfig(options)) {
    if ((await run.serve(next)) === "stopped") break;
    logger.error({}, "the other members of the cluster have declared this one dead: it starts again as a new member");
  }
  logger.info({}, "stopped");
}

async function membersOf(...parts: Parameters<typeof shardsAsMembers>): Promise<Members> {
  const { shardsAsMembers } = await import("@wrenmq/admin/members");
  return shardsAsMembers(...parts);
}

/** What outlives a broker that the other members of its cluster have replaced. */
class Run {
  readonly #options: ConfigOptions;
  readonly #logger: ReturnType<typeof createLogger>;
  readonly #stopping = new AbortController();
  readonly #signalled: Promise<void>;
  #isReloadDue = false;
  #reload = (): void => {
    this.#isReloadDue = true;
  };

  constructor(options: ConfigOptions, logger: ReturnType<typeof createLogger>) {
    this.#options = options;
    this.#logger = logger;
    this.#signalled = untilSignalled(logger, () => this.#reload()).then(() => this.#stopping.abort());
  }

  async serve(effective: EffectiveConfig): Promise<"stopped" | "replaced"> {
    const options = this.#options;
    const logger = this.#logger;
    const { signal } = this.#stopping;
    const host = await hostBroker(
      (running) => (running === undefined ? effective : effectiveConfig(options, running)),
      {
        logger,
        practiceLogger: practiceLogger(effective.config.log),
        dropHistory: true,
        signal,
        describe: lineOf,
        reloaded({ log }) {
          logger.level = log.level;
        },
      },
    ).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (host === undefined) return "stopped";
    const { broker } = host;
    const hurry = (): void => void host.hurry();
    signal.addEventListener("abort", hurry);
    try {
      await broker.start();
    } catch (error) {
      await host.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", hurry);
    }
    this.#reload = () => void host.reload();
    const { shards } = host;
    const source = shards === undefined ? { broker } : { members: await membersOf(broker, shards, logger) };
    const administration = await administer(source, host.config, { logger, reload: host.reload }).catch(
      async (error: unknown) => {
        await host.close();
        throw error;
      },
    );
    if (this.#isReloadDue) this.#reload();
    this.#isReloadDue = false;
    const watchdog = serviceIsReady(logger);
    await Promise.race([this.#signalled, ...(host.replaced === undefined ? [] : [host.replaced])]);
    const outcome = signal.aborted ? "stopped" : "replaced";
    if (outcome === "stopped") await notifyService("stopping");
    await administration.close();
    await host.close();
    watchdog.stop();
    return outcome;
  }
}
