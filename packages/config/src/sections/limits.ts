// The section `limits`, global and per listener, made from the table of limits.
import { type Limits as AllLimits, LIMITS, type Limit } from "@wrenmq/limits";
import { duration, rate, size } from "../description/quantities.ts";
import { choice, count, flag, integer } from "../description/scalars.ts";
import { type Fields, type Section, section } from "../description/section.ts";
import type { ValueType } from "../description/value-type.ts";
import type { Limits } from "../wren-config.ts";

const TABLE = Object.entries(LIMITS) as [keyof AllLimits, Limit<never>][];

/** Limits that only the whole broker has; a listener limits its connections with a key of its own. */
export const GLOBAL_LIMITS: readonly (keyof Limits)[] = TABLE.filter(([, limit]) => limit.ofBroker === true).map(
  ([name]) => name as keyof Limits,
);

export const limitsSection: Section<Limits> = section<Limits>(
  "Limits for clients; those that MQTT 5 can announce are announced in CONNACK.",
  Object.fromEntries(
    TABLE.filter(([, limit]) => limit.key !== false).map(([name, limit]) => [
      name,
      {
        ...(typeof limit.key === "string" ? { key: limit.key } : {}),
        doc: limit.doc,
        type: typeOf(limit),
        default: limit.default,
      },
    ]),
  ) as unknown as Fields<Limits>,
);

function typeOf({ unit, zero, minimum, maximum, choices }: Limit<unknown>): ValueType<never> {
  const isUnlimited = zero === "no limit";
  const found: Record<Limit<unknown>["unit"], () => ValueType<never>> = {
    count: () =>
      (maximum === undefined && isUnlimited
        ? count
        : integer(minimum ?? 0, maximum ?? Number.MAX_SAFE_INTEGER)) as never,
    bytes: () => size(isUnlimited ? { unlimited: true } : maximum === undefined ? {} : { maximum }) as never,
    milliseconds: () => duration("ms", isUnlimited ? { zeroIs: "unlimited" } : { positive: true }) as never,
    seconds: () => duration("s", isUnlimited ? { zeroIs: "unlimited" } : {}) as never,
    "events per second": () => rate("count") as never,
    "bytes per second": () => rate("size") as never,
    flag: () => flag as never,
    choice: () => choice(choices as readonly string[]) as never,
  };
  return found[unit]();
}
