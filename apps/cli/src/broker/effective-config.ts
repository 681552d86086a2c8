// The configuration of a start: the file, or the defaults, overridden by options of the command line.
import { resolve } from "node:path";
import { type ListenerSection, parseSize, type StoreSection } from "@wrenmq/config";
import { type EffectiveConfig, type Running, readConfig } from "@wrenmq/host";
import { lineOf, UsageError } from "../errors.ts";

/** Options of the command line that override the configuration. */
export interface ConfigOptions {
  /** Path of the configuration. */
  readonly config?: string;
  readonly port?: number;
  readonly host?: string;
  readonly workers?: number | "auto";
  readonly data?: string;
  readonly dataMax?: string;
  readonly durability?: "memory" | "batch" | "fsync";
  /** false: --no-warm-up. */
  readonly warmUp?: boolean;
  readonly debug?: boolean;
  readonly logFormat?: "text" | "json";
}

/** Reads the configuration and checks everything that it needs. @throws ConfigError, UsageError */
export function effectiveConfig(options: ConfigOptions, running?: Running): Promise<EffectiveConfig> {
  return readConfig(options.config, {
    ...(running === undefined ? {} : { running }),
    describe: lineOf,
    adjust: (base) => ({
      ...base,
      listeners: withAddress(base.listeners, options),
      store: withData(base.store, options),
      workers: options.workers ?? base.workers,
      warmUp: base.warmUp && options.warmUp !== false,
      log: {
        ...base.log,
        ...(options.debug === true ? { level: "debug" } : {}),
        ...(options.logFormat === undefined ? {} : { format: options.logFormat }),
      },
    }),
  });
}

/** `--port` and `--host` override the listener `default`, or the only one. */
function withAddress(listeners: readonly ListenerSection[], { port, host }: ConfigOptions): ListenerSection[] {
  if (port === undefined && host === undefined) return [...listeners];
  const meant = listeners.find(({ name }) => name === "default") ?? (listeners.length === 1 ? listeners[0] : undefined);
  if (meant === undefined) {
    throw new UsageError("--port and --host need a listener named default, or only one, in the configuration");
  }
  if (meant.port === undefined) throw new UsageError(`--port and --host: listener ${meant.name} has no address`);
  const address = { ...(port === undefined ? {} : { port }), ...(host === undefined ? {} : { host }) };
  return listeners.map((listener) => (listener === meant ? { ...listener, ...address } : listener));
}

function withData(store: StoreSection, { data, dataMax, durability }: ConfigOptions): StoreSection {
  const path = data === undefined ? store.path : resolve(data);
  if (dataMax !== undefined && (durability === "memory" || path === undefined)) {
    throw new UsageError("--data-max needs --data, and another durability than memory");
  }
  if (durability === "memory") return { durability };
  if (path === undefined) {
    if (durability !== undefined) throw new UsageError(`--durability ${durability} needs --data`);
    return store;
  }
  const level = durability ?? (store.durability === "memory" ? "batch" : store.durability);
  return { ...store, durability: level, path, ...(dataMax === undefined ? {} : { maxBytes: bytesOf(dataMax) }) };
}

function bytesOf(size: string): number {
  const bytes = parseSize(size);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new UsageError(`--data-max ${size}: expected a size such as 10GiB`);
}
