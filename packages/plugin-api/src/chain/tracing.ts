// Plugins that follow single messages. Each decides which ones it wants; what one of them throws ends its own trace of the
// message only.
import type { ClientInfo } from "../client-info.ts";
import type { MessageTrace, MessageTracing, PluginMessage } from "../hooks.ts";
import type { FollowedMessage, TracingChain } from "./hook-chain.ts";
import type { HookGuard } from "./hook-guard.ts";
import type { NamedHooks } from "./named-hooks.ts";

interface Tracer {
  readonly plugin: string;
  readonly tracing: MessageTracing;
}

interface Running {
  readonly plugin: string;
  readonly trace: MessageTrace;
}

const HOOK = "tracing";

export function compileTracing(plugins: readonly NamedHooks[], guard: HookGuard): TracingChain | undefined {
  const tracers: Tracer[] = plugins.flatMap(({ name, hooks: { tracing } }) =>
    tracing === undefined ? [] : [{ plugin: name, tracing }],
  );
  if (tracers.length === 0) return undefined;
  return {
    wants(message) {
      for (const { tracing } of tracers) if (isWanted(tracing, message)) return true;
      return false;
    },
    begin: (client, message) => begin(tracers, guard, client, message),
  };
}

function isWanted({ ratio, userProperty }: MessageTracing, { properties }: FollowedMessage): boolean {
  if (ratio > 0 && Math.random() < ratio) return true;
  if (userProperty === undefined || properties?.userProperties === undefined) return false;
  for (const [name] of properties.userProperties) if (name === userProperty) return true;
  return false;
}

/** All plugins that follow messages get one that any of them wants: two traces of one message belong together. */
function begin(
  tracers: readonly Tracer[],
  guard: HookGuard,
  client: ClientInfo,
  message: PluginMessage,
): MessageTrace | undefined {
  let running: Running[] = [];
  let current = message;
  for (const { plugin, tracing } of tracers) {
    try {
      const trace = tracing.begin(client, current);
      if (trace === undefined) continue;
      running.push({ plugin, trace });
      const { userProperties } = trace;
      if (userProperties !== undefined) current = { ...current, properties: { ...current.properties, userProperties } };
    } catch (error) {
      guard.failed(plugin, HOOK, error);
    }
  }
  if (running.length === 0) return undefined;
  const tell = (act: (trace: MessageTrace) => void): void => {
    running = running.filter(({ plugin, trace }) => {
      try {
        act(trace);
        return true;
      } catch (error) {
        guard.failed(plugin, HOOK, error);
        return false;
      }
    });
  };
  return {
    userProperties: current === message ? undefined : current.properties?.userProperties,
    delivered: (clientId, qos) => tell((trace) => trace.delivered(clientId, qos)),
    queued: (clientId) => tell((trace) => trace.queued(clientId)),
    dropped: (clientId, reason) => tell((trace) => trace.dropped(clientId, reason)),
    end: (reasonCode) => tell((trace) => trace.end(reasonCode)),
  };
}
