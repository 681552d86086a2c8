// Combines the hooks of all plugins, in the order of the plugins, into the one chain that the broker calls.
import { ReasonCode } from "@wrenmq/codec";
import { authorizersOf, compileAuthenticate, compileAuthorize, compileAuthorizeConnect } from "./decide.ts";
import { compileAuthenticationMethods } from "./enhanced-authentication.ts";
import { compileExplain } from "./explain.ts";
import type { HookChain } from "./hook-chain.ts";
import { type CompileOptions, HookGuard } from "./hook-guard.ts";
import type { NamedHooks } from "./named-hooks.ts";
import { compileObservers } from "./observe.ts";
import { compileTracing } from "./tracing.ts";
import { compileTransform } from "./transform.ts";

/**
 * The decision rule, for `authenticate` and `authorize`: no opinion is ignored, any refusal denies, at least one yes is
 * needed. A hook that throws, rejects or takes too long refuses: with 0x88 (Server unavailable) while the client
 * connects, with 0x87 (Not authorized) later.
 *
 * @throws PluginError ERR_PLUGIN_START when two plugins have an authentication method of the same name.
 */
export function compileHooks(plugins: readonly NamedHooks[], options: CompileOptions): HookChain {
  const guard = new HookGuard(options);
  const authorizers = authorizersOf(plugins);
  return {
    authenticate: compileAuthenticate(plugins, guard),
    authorizeConnect: compileAuthorizeConnect(plugins, guard),
    authorize: compileAuthorize(authorizers, guard),
    authenticationMethods: compileAuthenticationMethods(plugins, guard),
    connect: compileTransform(
      "connect",
      plugins.map(({ name, hooks }) => ({ plugin: name, change: hooks.connect?.bind(hooks) })),
      guard,
      ReasonCode.ServerUnavailable,
    ),
    publish: compileTransform(
      "publish",
      plugins.map(({ name, hooks }) => ({ plugin: name, change: hooks.publish?.bind(hooks) })),
      guard,
    ),
    subscribe: compileTransform(
      "subscribe",
      plugins.map(({ name, hooks }) => ({ plugin: name, change: hooks.subscribe?.bind(hooks) })),
      guard,
    ),
    will: compileTransform(
      "will",
      plugins.map(({ name, hooks }) => ({ plugin: name, change: hooks.will?.bind(hooks) })),
      guard,
      ReasonCode.ServerUnavailable,
    ),
    tracing: compileTracing(plugins, guard),
    observe: compileObservers(plugins, guard),
    dollarTopics: plugins.flatMap(({ hooks }) => hooks.dollarTopics ?? []),
    explain: compileExplain(authorizers, guard),
  };
}
