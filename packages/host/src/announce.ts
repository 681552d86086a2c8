// The first log lines of a broker: who may connect where, and whether anything is stored.
import type { Broker } from "@wrenmq/broker";
import type { WrenConfig } from "@wrenmq/config";
import type { Logger } from "@wrenmq/plugin-api";
import { whoMayConnect } from "./who-may-connect.ts";

/** The listeners of a running broker, or of its workers. */
export interface Listening {
  /** By name of the listener. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Names of the plugins that authenticate, by name of the listener. */
  readonly authenticators: ReadonlyMap<string, readonly string[]>;
}

export function listeningOf({ addresses, operations }: Broker): Listening {
  const reports = [...operations.listeners()];
  return { addresses, authenticators: new Map(reports.map(({ name, authenticators }) => [name, authenticators])) };
}

export function announce({ addresses, authenticators }: Listening, config: WrenConfig, logger: Logger): void {
  for (const listener of config.listeners) {
    const address = addresses.get(listener.name) ?? listener.type;
    const who = whoMayConnect(listener, config, authenticators);
    logger.info({ listener: listener.name, address, who }, "clients may connect");
  }
  const { durability, path } = config.store;
  if (path === undefined) logger.info({}, "sessions and retained messages are kept in memory only: there is no store");
  else logger.info({ path, durability }, "sessions and retained messages are kept on disk");
}
