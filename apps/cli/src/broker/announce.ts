// What the log says first: who may connect where, and whether anything is kept.
import type { WrenConfig } from "@wrenmq/config";
import type { Logger } from "@wrenmq/plugin-api";
import { whoMayConnect } from "./who-may-connect.ts";

/** @param addresses of the listeners by their names */
export function announce(addresses: ReadonlyMap<string, string>, config: WrenConfig, logger: Logger): void {
  for (const listener of config.listeners) {
    const address = addresses.get(listener.name) ?? listener.type;
    logger.info({ listener: listener.name, address, who: whoMayConnect(listener, config) }, "clients may connect");
  }
  const { durability, path } = config.store;
  if (path === undefined) logger.info({}, "sessions and retained messages are kept in memory only (see --data)");
  else logger.info({ path, durability }, "sessions and retained messages are kept on disk");
}
