// The context of a plugin: what it can do with the broker.
import { ReasonCode } from "@wrenmq/codec";
import type { ClientInfo, Logger, PluginContext, PublishOptions, SessionInfo } from "@wrenmq/plugin-api";
import type { StoredMessage } from "@wrenmq/protocol";

/** The methods of the broker that plugins use. */
export type BrokerForPlugins = Pick<
  PluginContext,
  "retain" | "sessions" | "session" | "clients" | "unsubscribe" | "rulesChanged" | "metrics"
> & {
  publish(topic: string, payload: Uint8Array | string, options?: PublishOptions): unknown;
  retained(filter?: string): Iterable<StoredMessage>;
  subscribe(clientId: string, topicFilter: string, qos: 0 | 1 | 2): 0 | 1 | 2;
  disconnect(clientId: string, reasonCode: ReasonCode, reasonString?: string): boolean;
};

export function pluginContext(broker: BrokerForPlugins, logger: Logger, name: string): PluginContext & { end(): void } {
  const timers = new Set<() => void>();
  const repeating = (set: () => () => void): (() => void) => {
    const cancel = set();
    const forget = (): void => {
      cancel();
      timers.delete(forget);
    };
    timers.add(forget);
    return forget;
  };
  return {
    name,
    logger: logger.child({ plugin: name }),
    publish: (topic: string, payload: Uint8Array | string, options?: PublishOptions) => {
      broker.publish(topic, payload, options);
    },
    retain: (topic, payload, options) => broker.retain(topic, payload, options),
    retainedMessages: (filter?: string): Iterable<StoredMessage> => broker.retained(filter),
    sessions: (): Iterable<SessionInfo> => broker.sessions(),
    session: (clientId) => broker.session(clientId),
    clients: (): Iterable<ClientInfo> => broker.clients(),
    subscribe: (clientId, topicFilter, qos = 0) => broker.subscribe(clientId, topicFilter, qos),
    unsubscribe: (clientId, topicFilter) => broker.unsubscribe(clientId, topicFilter),
    disconnect: (clientId, reasonCode = ReasonCode.AdministrativeAction, reasonString) =>
      broker.disconnect(clientId, reasonCode as ReasonCode, reasonString),
    rulesChanged: () => broker.rulesChanged(),
    setInterval: (callback, interval) =>
      repeating(() => {
        const timer = setInterval(callback, interval);
        timer.unref();
        return () => clearInterval(timer);
      }),
    setTimeout: (callback, delay) =>
      repeating(() => {
        const timer = setTimeout(callback, delay);
        timer.unref();
        return () => clearTimeout(timer);
      }),
    metrics: () => broker.metrics(),
    end() {
      for (const cancel of timers) cancel();
    },
  };
}
