// Which options of a listener are settled when its socket is opened; all others can change while it listens.
import { ListenerError } from "./errors.ts";
import type { ListenerConfig } from "./listener-config.ts";

const SETTLED = ["type", "host", "port", "path", "ipv6Only", "backlog", "mode"] as const;

/** Can a listener with the one configuration go on with the other, without opening another socket? */
export function isSameSocket(one: ListenerConfig, other: ListenerConfig): boolean {
  const value = (config: ListenerConfig, key: (typeof SETTLED)[number]): unknown =>
    (config as Partial<Record<(typeof SETTLED)[number], unknown>>)[key];
  return SETTLED.every((key) => value(one, key) === value(other, key));
}

/** @throws ListenerError ERR_LISTENER_CONFIG */
export function mustBeSameSocket(one: ListenerConfig, other: ListenerConfig): void {
  if (isSameSocket(one, other)) return;
  throw new ListenerError("ERR_LISTENER_CONFIG", `${SETTLED.join(", ")} cannot change while a listener listens`);
}
