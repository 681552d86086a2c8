// Warms up a broker after its start: the time until the first client connects is used to compile code.
import { type Broker, warmUp } from "@wrenmq/broker";
import type { WrenConfig } from "@wrenmq/config";
import type { Logger } from "@wrenmq/plugin-api";
import { type Describe, messageOf } from "./describe.ts";

export interface Preparation {
  /** Resolves when the warm-up has ended. */
  stop(): Promise<void>;
}

export interface PreparationOptions {
  readonly logger: Logger;
  /** See `WarmUpOptions.logger`. */
  readonly practiceLogger?: Logger | undefined;
  readonly describe?: Describe | undefined;
}

/** Runs in the background until it is done, a client connects, or `stop` is called. */
export function prepareForClients(
  broker: Broker,
  config: WrenConfig,
  { logger, practiceLogger, describe = messageOf }: PreparationOptions,
): Preparation {
  if (!config.warmUp) return { stop: () => Promise.resolve() };
  let stopped = false;
  const begun = performance.now();
  const running = warmUp({ until: () => stopped || broker.connected > 0, logger: practiceLogger }).then(
    (done) => logger.debug({ milliseconds: Math.round(performance.now() - begun), done }, "warmed up for clients"),
    (error: unknown) => logger.warn({ reason: describe(error) }, "warming up for clients has failed"),
  );
  return {
    stop() {
      stopped = true;
      return running;
    },
  };
}
