// Which options of a listener are settled when its socket is opened; all others can change while it listens.
import { ListenerError } from "../errors.ts";
import type { ListenerConfig } from "../listener-config.ts";

const SETTLED = ["type", "host", "port", "path", "ipv6Only", "backlog", "mode"] as const;

/** Can a listener with the one configuration go on with the other, without opening another socket? */
export function isSameSocket(one: ListenerConfig, other: ListenerConfig): boolean {
  const value = (config: ListenerConfig, key: (typeof SETTLED)[number]): unknown =>
    (config as Partial<Record<(typeof SETTLED)[number], unknown>>)[key];
  return SETTLED.every((key) => value(one, key) === value(other, key));
}

/** @param port that the one listens on: any port (0) is this one then. @throws ListenerError ERR_LISTENER_CONFIG */
export function mustBeSameSocket(one: ListenerConfig, other: ListenerConfig, port: number | undefined): void {
  if (isSameSocket(withPort(one, port), withPort(other, port))) return;
  throw new ListenerError("ERR_LISTENER_CONFIG", `${SETTLED.join(", ")} cannot change while a listener listens`);
}

/** The configuration of a listener that is to have the port that another one got when it asked for any. */
export function withPort<C extends object>(config: C, port: number | undefined): C {
  return "port" in config && config.port === 0 && port !== undefined ? { ...config, port } : config;
}
