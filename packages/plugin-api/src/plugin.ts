// The interfaces of a plugin and of its context.
import type { PublishProperties, QoS } from "@wrenmq/codec";
import type { StoredMessage } from "@wrenmq/protocol";
import type { ClientInfo, SessionInfo } from "./client-info.ts";
import type { Hooks, MaybePromise } from "./hooks.ts";
import type { StandardSchema } from "./standard-schema.ts";

/**
 * Forbids `error` as a field. Errors are logged as `err`: loggers write message and stack of that field, and `{}` of
 * any other.
 */
export interface NoErrorField {
  readonly error?: never;
}

/**
 * The logger interface that the broker needs; pino's loggers have it. Secrets must not be in `fields`; an error is
 * there as `err`.
 */
export interface Logger {
  debug<T extends object>(fields: T & NoErrorField, message: string): void;
  info<T extends object>(fields: T & NoErrorField, message: string): void;
  warn<T extends object>(fields: T & NoErrorField, message: string): void;
  error<T extends object>(fields: T & NoErrorField, message: string): void;
  child(bindings: object): Logger;
  /** Lets callers skip making the fields of a message that is not written. The same as pino's. */
  isLevelEnabled?(level: string): boolean;
}

export interface PublishOptions {
  /** Default 0. */
  qos?: QoS;
  /** Default false. */
  retain?: boolean;
  /** Default: none. [MQTT5 3.3.2.3] */
  properties?: PublishProperties;
}

/** What a plugin can do with the broker. */
export interface PluginContext {
  /** The name of this plugin. */
  readonly name: string;
  readonly logger: Logger;
  /** Publishes on behalf of the server: no access check, no publisher. */
  publish(topic: string, payload: Uint8Array | string, options?: PublishOptions): void;
  /** Sets or (with an empty payload) clears a retained message without sending it to anybody. */
  retain(topic: string, payload: Uint8Array | string, options?: Omit<PublishOptions, "retain">): void;
  retainedMessages(filter?: string): Iterable<StoredMessage>;
  sessions(): Iterable<SessionInfo>;
  session(clientId: string): SessionInfo | undefined;
  clients(): Iterable<ClientInfo>;
  /**
   * Subscribes on behalf of a client; creates a session that is not connected if there is none.
   * @returns the granted QoS
   */
  subscribe(clientId: string, topicFilter: string, qos?: QoS): QoS;
  unsubscribe(clientId: string, topicFilter: string): boolean;
  /** Closes the client's connection (MQTT 5: with DISCONNECT, by default 0x98 Administrative action). [MQTT5 3.14] */
  disconnect(clientId: string, reasonCode?: number, reasonString?: string): boolean;
  /**
   * Call it when access rules have changed: cached verdicts are dropped, connections and subscriptions are checked
   * again.
   */
  rulesChanged(): void;
  /**
   * Timers that end with the plugin.
   * @param interval milliseconds
   * @returns a function that cancels
   */
  setInterval(callback: () => void, interval: number): () => void;
  setTimeout(callback: () => void, delay: number): () => void;
  /** Counters of the broker by name; `$SYS` publishes them too. */
  metrics(): Readonly<Record<string, number>>;
}

/** Something wrong, or unwise, in the options of a plugin or in the files that they name. */
export interface PluginProblem {
  /** The option that is wrong, by its name in the plugin's options; absent: the plugin as a whole. */
  readonly option?: string;
  /** One line. It names the file, and the line in it, if there is one. It must not contain secrets. */
  readonly message: string;
  /** `error`: the plugin would not start. `warning`: it would. Default `error`. */
  readonly severity?: "error" | "warning";
}

export interface Plugin {
  readonly name: string;
  /**
   * Checks what `setup` will need, such as the contents of files. It must not open connections, start timers or change
   * anything: `wrenmq config check` calls it without a start. A start and a reload call it first and stop after an
   * error, so that a check and a start give the same result.
   */
  check?(): MaybePromise<readonly PluginProblem[]>;
  /**
   * Called when the broker starts, and again if it is started again. What it throws, and a promise that takes longer
   * than a hook may, stops the start with ERR_PLUGIN_START.
   */
  setup(context: PluginContext): MaybePromise<Hooks>;
  /** Called after the plugin's hook `close`; plugins are closed in reverse order. */
  close?(): MaybePromise<void>;
}

export interface PluginDefinition<Schema extends StandardSchema | undefined> {
  readonly name: string;
  /** Validator of the options: any Standard Schema (zod, valibot, arktype, or `options()` of this package). */
  readonly config?: Schema;
  /** See {@link Plugin.check}. */
  check?(given: {
    readonly config: Schema extends StandardSchema<infer _Input, infer Output> ? Output : undefined;
  }): MaybePromise<readonly PluginProblem[]>;
  hooks(given: {
    readonly config: Schema extends StandardSchema<infer _Input, infer Output> ? Output : undefined;
    readonly context: PluginContext;
  }): MaybePromise<Hooks>;
  close?(): MaybePromise<void>;
}
