// A stand-in for the broker in tests of plugins: gives them a context that records what they do, and runs their hooks
// as the broker does.
import type { QoS } from "@wrenmq/codec";
import type { StoredMessage } from "@wrenmq/protocol";
import { topicMatches } from "@wrenmq/topics";
import { compileHooks } from "../chain/compile-hooks.ts";
import type { HookChain } from "../chain/hook-chain.ts";
import type { HookFailure } from "../chain/hook-guard.ts";
import type { NamedHooks } from "../chain/named-hooks.ts";
import type { ClientInfo, SessionInfo } from "../client-info.ts";
import type { Logger, Plugin, PluginContext, PublishOptions } from "../plugin.ts";
import { SimulatedTimers } from "./simulated-timers.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: object;
  readonly message: string;
}

export interface Disconnected {
  readonly clientId: string;
  readonly reasonCode: number | undefined;
}

export interface TestHostOptions {
  /** The result of `context.clients()`. Default: none. */
  readonly clients?: readonly ClientInfo[];
  /** Milliseconds; see `CompileOptions`. Default 10,000. */
  readonly hookTimeout?: number;
}

export class TestHost {
  readonly timers: SimulatedTimers = new SimulatedTimers();
  readonly published: StoredMessage[] = [];
  readonly retained: Map<string, StoredMessage> = new Map();
  readonly sessions: Map<string, SessionInfo> = new Map();
  readonly clients: ClientInfo[];
  readonly disconnected: Disconnected[] = [];
  readonly logs: LogLine[] = [];
  readonly failures: HookFailure[] = [];
  /** Number of calls of `context.rulesChanged()`. */
  rulesChanges = 0;
  chain: HookChain;
  readonly #plugins: readonly Plugin[];
  readonly #hookTimeout: number | undefined;
  #cancels = new Set<() => void>();
  #running: readonly NamedHooks[] = [];

  private constructor(plugins: readonly Plugin[], options: TestHostOptions) {
    this.#plugins = plugins;
    this.#hookTimeout = options.hookTimeout;
    this.clients = [...(options.clients ?? [])];
    this.chain = this.#compile([]);
  }

  /** Sets up the plugins, in order. What one of them throws is passed on. */
  static async start(plugins: readonly Plugin[], options: TestHostOptions = {}): Promise<TestHost> {
    const host = new TestHost(plugins, options);
    const hooks: NamedHooks[] = [];
    for (const plugin of plugins) {
      hooks.push({ name: plugin.name, hooks: await plugin.setup(host.contextFor(plugin.name)) });
    }
    host.#running = hooks;
    host.chain = host.#compile(hooks);
    return host;
  }

  /**
   * Advances the clock for the timers of plugins and the time limits of hooks.
   * @param milliseconds by how much
   */
  advance(milliseconds: number): void {
    this.timers.advance(milliseconds);
  }

  /**
   * Ends the plugins as the broker does: `brokerStopping`, then `close` of each in reverse order, then `brokerStopped`.
   */
  async close(): Promise<void> {
    const { brokerStopping, brokerStopped } = this.chain.observe;
    brokerStopping?.();
    for (const cancel of this.#cancels) cancel();
    this.#cancels = new Set();
    for (const [index, plugin] of [...this.#plugins.entries()].reverse()) {
      await this.#running[index]?.hooks.close?.();
      await plugin.close?.();
    }
    this.#running = [];
    brokerStopped?.();
  }

  contextFor(name: string): PluginContext {
    return {
      name,
      logger: this.#logger({ plugin: name }),
      publish: (topic, payload, options) => {
        this.published.push(message(topic, payload, options));
        if (options?.retain === true) this.#retain(message(topic, payload, options));
      },
      retain: (topic, payload, options) => this.#retain(message(topic, payload, { ...options, retain: true })),
      retainedMessages: (filter = "#") =>
        [...this.retained.values()].filter(({ topic }) => topicMatches(filter, topic)),
      sessions: () => this.sessions.values(),
      session: (clientId) => this.sessions.get(clientId),
      clients: () => this.clients,
      subscribe: (clientId, topicFilter, qos = 0) => this.#subscribe(clientId, topicFilter, qos),
      unsubscribe: (clientId, topicFilter) => this.#unsubscribe(clientId, topicFilter),
      disconnect: (clientId, reasonCode) => {
        this.disconnected.push({ clientId, reasonCode });
        return this.clients.some((client) => client.clientId === clientId);
      },
      rulesChanged: () => {
        this.rulesChanges++;
      },
      setInterval: (callback, interval) => this.#cancelLater(this.timers.setInterval(callback, interval)),
      setTimeout: (callback, delay) => this.#cancelLater(this.timers.setTimeout(callback, delay)),
      metrics: () => ({}),
    };
  }

  #compile(hooks: readonly NamedHooks[]): HookChain {
    return compileHooks(hooks, {
      logger: this.#logger({}),
      timers: this.timers,
      hookTimeout: this.#hookTimeout,
      onError: (failure) => this.failures.push(failure),
    });
  }

  #retain(stored: StoredMessage): void {
    if (stored.payload.length === 0) this.retained.delete(stored.topic);
    else this.retained.set(stored.topic, stored);
  }

  #subscribe(clientId: string, topicFilter: string, qos: QoS): QoS {
    const session = this.sessions.get(clientId) ?? emptySession(clientId);
    const subscriptions = new Map(session.subscriptions).set(topicFilter, { qos });
    this.sessions.set(clientId, { ...session, subscriptions });
    return qos;
  }

  #unsubscribe(clientId: string, topicFilter: string): boolean {
    const session = this.sessions.get(clientId);
    if (session?.subscriptions.has(topicFilter) !== true) return false;
    const subscriptions = new Map(session.subscriptions);
    subscriptions.delete(topicFilter);
    this.sessions.set(clientId, { ...session, subscriptions });
    return true;
  }

  #cancelLater(handle: unknown): () => void {
    const cancel = () => {
      this.timers.clearTimeout(handle);
      this.#cancels.delete(cancel);
    };
    this.#cancels.add(cancel);
    return cancel;
  }

  #logger(bindings: object): Logger {
    const write = (level: LogLine["level"]) => (fields: object, text: string) => {
      this.logs.push({ level, fields: { ...bindings, ...fields }, message: text });
    };
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (more) => this.#logger({ ...bindings, ...more }),
    };
  }
}

function emptySession(clientId: string): SessionInfo {
  return {
    clientId,
    connected: false,
    username: undefined,
    expiryInterval: Number.POSITIVE_INFINITY,
    subscriptions: new Map(),
    queued: 0,
    inflight: 0,
  };
}

declare class TextEncoder {
  encode(text: string): Uint8Array;
}

function message(topic: string, payload: Uint8Array | string, options: PublishOptions | undefined): StoredMessage {
  return {
    topic,
    payload: typeof payload === "string" ? new TextEncoder().encode(payload) : payload,
    qos: options?.qos ?? 0,
    retain: options?.retain ?? false,
    properties: options?.properties,
    expiresAt: Number.POSITIVE_INFINITY,
    publisher: "",
  };
}
