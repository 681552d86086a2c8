import type { CompileOptions, HookFailure } from "../src/index.ts";
import { SimulatedTimers } from "../src/testing/index.ts";

/** Options for `compileHooks` that keep what was logged and counted. */
export function recorder(): CompileOptions & { failures: HookFailure[]; timers: SimulatedTimers; logged: string[] } {
  const failures: HookFailure[] = [];
  const logged: string[] = [];
  const log = (_fields: object, message: string) => {
    logged.push(message);
  };
  const logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  return { logger, failures, logged, timers: new SimulatedTimers(), onError: (failure) => failures.push(failure) };
}
