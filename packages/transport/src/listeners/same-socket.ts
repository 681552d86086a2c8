// Options that need another socket when they change; all others can change while the listener listens.
import { ListenerError } from "../errors.ts";
import type { ListenerConfig } from "../listener-config.ts";

const SETTLED = ["type", "host", "port", "path", "ipv6Only", "backlog", "mode"] as const;

/** Can a listener change from one configuration to the other with the same socket? */
export function isSameSocket(one: ListenerConfig, other: ListenerConfig): boolean {
  const value = (config: ListenerConfig, key: (typeof SETTLED)[number]): unknown =>
    (config as Partial<Record<(typeof SETTLED)[number], unknown>>)[key];
  return SETTLED.every((key) => value(one, key) === value(other, key));
}

/**
 * @param port on which it listens: equal to port 0, any free port
 * @throws ListenerError ERR_LISTENER_CONFIG
 */
export function mustBeSameSocket(one: ListenerConfig, other: ListenerConfig, port: number | undefined): void {
  if (isSameSocket(withPort(one, port), withPort(other, port))) return;
  throw new ListenerError("ERR_LISTENER_CONFIG", `${SETTLED.join(", ")} cannot change while a listener listens`);
}

/** The configuration with the port that the system chose for port 0. */
export function withPort<C extends object>(config: C, port: number | undefined): C {
  return "port" in config && config.port === 0 && port !== undefined ? { ...config, port } : config;
}
