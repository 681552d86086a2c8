// A broker that has just started has nothing to do: the time until its first client is good for compiling.
import { type Broker, warmUp } from "@wrenmq/broker";
import type { WrenConfig } from "@wrenmq/config";
import type { Logger } from "@wrenmq/plugin-api";
import { type Describe, messageOf } from "./describe.ts";

export interface Preparation {
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** Goes on in the background until it is done, somebody connects, or `stop`. */
export function prepareForClients(
  broker: Broker,
  config: WrenConfig,
  logger: Logger,
  describe: Describe = messageOf,
): Preparation {
  if (!config.warmUp) return { stop: () => Promise.resolve() };
  let stopped = false;
  const begun = performance.now();
  const running = warmUp({ until: () => stopped || broker.connected > 0 }).then(
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
