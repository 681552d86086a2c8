// Hooks that observe. Each is guarded on its own: one that fails affects neither the broker nor the next plugin.

import type { MaybePromise, ObserveHooks } from "../hooks.ts";
import type { HookChain } from "./hook-chain.ts";
import { type HookGuard, isPromise } from "./hook-guard.ts";
import type { NamedHooks } from "./named-hooks.ts";

const NAMES: { readonly [Name in keyof ObserveHooks]: true } = {
  brokerStarting: true,
  brokerStarted: true,
  brokerStopping: true,
  brokerStopped: true,
  connected: true,
  disconnected: true,
  refused: true,
  subscribed: true,
  unsubscribed: true,
  received: true,
  published: true,
  delivered: true,
  acknowledged: true,
  dropped: true,
  retained: true,
  retainedCleared: true,
  sessionCreated: true,
  sessionResumed: true,
  sessionTakenOver: true,
  sessionEnded: true,
  packetReceived: true,
  packetSent: true,
};

/** The names of all observing hooks. */
export const OBSERVE_HOOKS: readonly (keyof ObserveHooks)[] = Object.keys(NAMES) as (keyof ObserveHooks)[];

/** An observer takes at most four arguments; a rest parameter would allocate an array per call. */
type Observer = (one: unknown, two: unknown, three: unknown, four: unknown) => unknown;

export function compileObservers(plugins: readonly NamedHooks[], guard: HookGuard): HookChain["observe"] {
  const observe: Partial<Record<keyof ObserveHooks, Observer | undefined>> = {};
  for (const name of OBSERVE_HOOKS) observe[name] = compileObserver(name, plugins, guard);
  return observe as HookChain["observe"];
}

function compileObserver(
  name: keyof ObserveHooks,
  plugins: readonly NamedHooks[],
  guard: HookGuard,
): Observer | undefined {
  const observers: { plugin: string; notify: Observer }[] = [];
  for (const { name: plugin, hooks } of plugins) {
    const hook = hooks[name] as Observer | undefined;
    if (hook !== undefined) observers.push({ plugin, notify: hook.bind(hooks) });
  }
  if (observers.length === 0) return undefined;
  return (one, two, three, four) => {
    for (const { plugin, notify } of observers) {
      try {
        const result = notify(one, two, three, four) as MaybePromise<unknown>;
        // The broker does not await observers, but a rejection must not end the process.
        if (isPromise(result)) result.then(undefined, (error: unknown) => guard.failed(plugin, name, error));
      } catch (error) {
        guard.failed(plugin, name, error);
      }
    }
  };
}
