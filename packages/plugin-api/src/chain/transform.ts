// Hooks that may change what a client asks for: each gets the result of the one before it.
import { ReasonCode } from "@wrenmq/codec";
import { isAllowed, type Verdict } from "@wrenmq/protocol";
import type { ClientInfo } from "../client-info.ts";
import type { MaybePromise } from "../hooks.ts";
import { type HookGuard, isPromise } from "./hook-guard.ts";
import { PluginVerdicts } from "./plugin-verdicts.ts";

type TransformHook<T> = (client: ClientInfo, value: T) => MaybePromise<T | Verdict | undefined>;

interface Step<T> {
  readonly verdicts: PluginVerdicts;
  readonly change: TransformHook<T>;
}

export interface NamedTransform<T> {
  readonly plugin: string;
  readonly change: TransformHook<T> | undefined;
}

export function compileTransform<T extends object>(
  hook: string,
  transforms: readonly NamedTransform<T>[],
  guard: HookGuard,
  failureCode: ReasonCode = ReasonCode.NotAuthorized,
): ((client: ClientInfo, value: T) => MaybePromise<T | Verdict>) | undefined {
  const steps: Step<T>[] = [];
  for (const { plugin, change } of transforms) {
    if (change !== undefined) steps.push({ verdicts: new PluginVerdicts(plugin, hook, failureCode), change });
  }
  if (steps.length === 0) return undefined;
  return (client, value) => run(steps, 0, guard, client, value);
}

function run<T extends object>(
  steps: readonly Step<T>[],
  from: number,
  guard: HookGuard,
  client: ClientInfo,
  value: T,
): MaybePromise<T | Verdict> {
  let current = value;
  for (let index = from; index < steps.length; index++) {
    const step = steps[index] as Step<T>;
    const answer = take(step, guard, client, current);
    if (answer === undefined) continue;
    if (isPromise(answer)) {
      return waitFor(steps, index, guard, client, current, answer);
    }
    if (!isVerdict(answer)) current = answer;
    else if (!isAllowed(answer)) return step.verdicts.sign(answer);
  }
  return current;
}

async function waitFor<T extends object>(
  steps: readonly Step<T>[],
  index: number,
  guard: HookGuard,
  client: ClientInfo,
  current: T,
  answer: Promise<T | Verdict | undefined>,
): Promise<T | Verdict> {
  const { verdicts } = steps[index] as Step<T>;
  const late = await guard.settle(answer, verdicts.plugin, verdicts.hook, verdicts.failure);
  if (late === undefined) return run(steps, index + 1, guard, client, current);
  if (!isVerdict(late)) return run(steps, index + 1, guard, client, late);
  return isAllowed(late) ? run(steps, index + 1, guard, client, current) : verdicts.sign(late);
}

function take<T>(
  { verdicts, change }: Step<T>,
  guard: HookGuard,
  client: ClientInfo,
  value: T,
): MaybePromise<T | Verdict | undefined> {
  try {
    return change(client, value);
  } catch (error) {
    guard.failed(verdicts.plugin, verdicts.hook, error);
    return verdicts.failure;
  }
}

/** Only a verdict has a reason code; none of the things that hooks change has one. */
export function isVerdict(value: object): value is Verdict {
  return typeof (value as { reasonCode?: unknown }).reasonCode === "number";
}
