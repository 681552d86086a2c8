// Enhanced authentication methods of all plugins by name; each exchange is guarded like a hook. [MQTT5 4.12]
import { ReasonCode } from "@wrenmq/codec";
import type { AuthenticationExchange, AuthenticationStep, MaybePromise } from "../hooks.ts";
import { PluginError } from "../plugin-error.ts";
import type { HookChain } from "./hook-chain.ts";
import { type HookGuard, isPromise } from "./hook-guard.ts";
import type { NamedHooks } from "./named-hooks.ts";

const FAILURE: AuthenticationStep = { status: "failure", reasonCode: ReasonCode.NotAuthorized };

export function compileAuthenticationMethods(
  plugins: readonly NamedHooks[],
  guard: HookGuard,
): HookChain["authenticationMethods"] {
  const methods = new Map<
    string,
    HookChain["authenticationMethods"] extends ReadonlyMap<string, infer Start> ? Start : never
  >();
  const owners = new Map<string, string>();
  for (const { name: plugin, hooks } of plugins) {
    for (const [method, start] of Object.entries(hooks.authenticationMethods ?? {})) {
      const owner = owners.get(method);
      if (owner !== undefined) {
        throw new PluginError(
          "ERR_PLUGIN_START",
          plugin,
          `"${owner}" has the authentication method "${method}" already`,
        );
      }
      owners.set(method, plugin);
      const label = `authenticationMethods[${method}]`;
      methods.set(method, (client) => {
        try {
          return guardedExchange(start(client), plugin, label, guard);
        } catch (error) {
          guard.failed(plugin, label, error);
          return { next: () => FAILURE };
        }
      });
    }
  }
  return methods;
}

function guardedExchange(
  exchange: AuthenticationExchange,
  plugin: string,
  label: string,
  guard: HookGuard,
): AuthenticationExchange {
  return {
    next(data: Uint8Array | undefined): MaybePromise<AuthenticationStep> {
      try {
        const step = exchange.next(data);
        return isPromise(step)
          ? guard.settle(step, plugin, label, FAILURE).then((late) => signed(late, plugin))
          : signed(step, plugin);
      } catch (error) {
        guard.failed(plugin, label, error);
        return FAILURE;
      }
    },
  };
}

function signed(step: AuthenticationStep, plugin: string): AuthenticationStep {
  if (step.status !== "success" || step.identity === undefined) return step;
  const { rule } = step.identity;
  return { ...step, identity: { ...step.identity, rule: rule === undefined ? plugin : `${plugin}: ${rule}` } };
}
