// How a plugin is written and what it is given.
import type { PublishProperties, QoS } from "@wrenmq/codec";
import type { StoredMessage } from "@wrenmq/protocol";
import type { ClientInfo, SessionInfo } from "./client-info.ts";
import type { Hooks, MaybePromise } from "./hooks.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** An error is logged as `err`: under that name loggers write its message and its stack, and `{}` under any other. */
export interface NoErrorField {
  readonly error?: never;
}

/**
 * The least a logger must be able to do; pino's loggers are. Secrets never go into `fields`, an error goes there as `err`.
 */
export interface Logger {
  debug<T extends object>(fields: T & NoErrorField, message: string): void;
  info<T extends object>(fields: T & NoErrorField, message: string): void;
  warn<T extends object>(fields: T & NoErrorField, message: string): void;
  error<T extends object>(fields: T & NoErrorField, message: string): void;
  child(bindings: object): Logger;
  /** Saves the caller the fields of a message that nobody will see. As pino's. */
  isLevelEnabled?(level: string): boolean;
}

export interface PublishOptions {
  qos?: QoS;
  retain?: boolean;
  properties?: PublishProperties;
}

/** The broker as a plugin sees it. */
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
  /** Subscribes on behalf of a client; creates a session that is not connected when there is none. Returns the granted QoS. */
  subscribe(clientId: string, topicFilter: string, qos?: QoS): QoS;
  unsubscribe(clientId: string, topicFilter: string): boolean;
  /** Closes the client's connection (MQTT 5: DISCONNECT 0x98 Administrative action unless said otherwise). */
  disconnect(clientId: string, reasonCode?: number, reasonString?: string): boolean;
  /** Access rules changed: kept verdicts are forgotten, live connections and subscriptions are checked again. */
  rulesChanged(): void;
  /** Timers that end with the plugin. Milliseconds. Returns a function that cancels. */
  setInterval(callback: () => void, interval: number): () => void;
  setTimeout(callback: () => void, delay: number): () => void;
  /** Counters of the broker by name, as in `$SYS`. */
  metrics(): Readonly<Record<string, number>>;
}

/** What is wrong, or unwise, about what a plugin was given. */
export interface PluginProblem {
  /** The option that it is about, by its name in the plugin's options; absent: the plugin as a whole. */
  readonly option?: string;
  /** One line. It names the file, and the line in it, where there is one; it has no secrets in it. */
  readonly message: string;
  /** `error`: the plugin would not start. `warning`: it would. Default `error`. */
  readonly severity?: "error" | "warning";
}

export interface Plugin {
  readonly name: string;
  /**
   * Looks at what `setup` will need, such as the contents of files, and says what is wrong with it. Opens no connection,
   * starts no timer and changes nothing: `wrenmq config check` calls it without a start. A start and a reload call it
   * before anything else and go no further after an error, so that a check and a start say the same. What it throws, and
   * a promise that takes longer than a hook may, is an error. A broker that is embedded does not call it: `setup` has to
   * refuse the same things.
   */
  check?(): MaybePromise<readonly PluginProblem[]>;
  /**
   * Called at the start of the broker, again if it is started again; what it throws, and a promise that takes longer
   * than a hook may, stops the start with ERR_PLUGIN_START.
   */
  setup(context: PluginContext): MaybePromise<Hooks>;
  /** Called when the plugin has ended, after its hook `close`; plugins end in reverse order. */
  close?(): MaybePromise<void>;
}

export interface PluginDefinition<Schema extends StandardSchema | undefined> {
  readonly name: string;
  /** Any Standard Schema validator (zod, valibot, arktype …) of the plugin's options. */
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
