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
  /** Default 0. */
  qos?: QoS;
  /** Default false. */
  retain?: boolean;
  /** Default: none. [MQTT5 3.3.2.3] */
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

export interface Plugin {
  readonly name: string;
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
  hooks(given: {
    readonly config: Schema extends StandardSchema<infer _Input, infer Output> ? Output : undefined;
    readonly context: PluginContext;
  }): MaybePromise<Hooks>;
  close?(): MaybePromise<void>;
}
