// Checks the options of `createBroker`: a table with an entry for each option, which its type checks for completeness.
import { LIMITS, type Limit } from "@wrenmq/limits";
import { boolean, list, type Option, type OptionsSchema, oneOf, options } from "@wrenmq/plugin-api/options";
import type { SessionPolicy } from "../limits/limits.ts";
import type { BrokerOptions } from "../options.ts";
import type { SysOptions } from "../reporting/sys-topics.ts";
import {
  aFunction,
  EXACT,
  type FieldsOf,
  given,
  limitField,
  maybe,
  named,
  numberOf,
  wholeNumber,
  withMethods,
} from "./fields.ts";
import { LISTENER } from "./listener-table.ts";

type AnySchema = OptionsSchema<Readonly<Record<string, Option<unknown, unknown>>>>;

export const LIMITS_OF_BROKER: AnySchema = options(
  Object.fromEntries(
    (Object.entries(LIMITS) as [string, Limit<unknown>][]).map(([name, limit]) => [name, maybe(limitField(limit))]),
  ),
  EXACT,
);

const session: FieldsOf<SessionPolicy> = {
  defaultExpiry: maybe(numberOf("a number of seconds")),
  maximumExpiry: maybe(numberOf("a number of seconds")),
};
const sys: FieldsOf<SysOptions> = {
  intervalSeconds: maybe(numberOf("a number of seconds", { zero: "no $SYS" })),
  names: maybe(oneOf(["amqtt", "mosquitto", "both"])),
};

/** A plugin. Frequent mistakes are a factory that was not called, and a class. */
const plugin: Option<unknown, unknown> = {
  needed: true,
  expected: "a plugin",
  read(value, path, issues) {
    const { name, setup } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
    if (typeof name === "string" && name !== "" && typeof setup === "function") return value;
    const got =
      typeof value === "function"
        ? "a function: call it, as in plugins: [authAnonymous()]"
        : typeof value === "string"
          ? "a text: plugins are objects here, a configuration finds them by their names"
          : "something else";
    issues.push({ message: `expected a plugin (what definePlugin() makes, called), got ${got}`, path });
    return value;
  },
};

const replaceable: FieldsOf<Pick<BrokerOptions, "listeners" | "plugins" | "limits">> = {
  listeners: maybe(named(LISTENER, "listeners")),
  plugins: maybe(list(plugin, "a list of plugins")),
  limits: maybe(LIMITS_OF_BROKER),
};
/** Options that can be replaced while the broker runs. */
export const REPLACEMENT: AnySchema = options(replaceable, EXACT);

const FIELDS: FieldsOf<BrokerOptions> = {
  ...replaceable,
  store: maybe(withMethods("a store", "open", "close", "sessions", "retained", "queue", "message", "apply")),
  clearOnShutdown: maybe(boolean()),
  bus: maybe(withMethods("a bus between brokers", "attach", "start", "stop", "forward")),
  placement: maybe(withMethods("a placement", "isHome", "handOver")),
  ticketSecret: maybe(given("32 bytes or more", (value) => value instanceof Uint8Array && value.length >= 32)),
  session: maybe(options(session, EXACT)),
  shared: maybe(options({ strategy: oneOf(["round-robin", "random", "sticky", "publisher"]) }, EXACT)),
  sys: maybe(options(sys, EXACT)),
  takeoverGrace: maybe(wholeNumber(3_600_000)),
  dollarTopics: maybe(oneOf(["allow", "refuse"])),
  hookTimeout: maybe(numberOf("a number of milliseconds", { min: Number.MIN_VALUE })),
  responseInformation: maybe(aFunction),
  dropHistory: maybe(boolean()),
  logger: maybe(withMethods("a logger such as pino's", "debug", "info", "warn", "error", "child")),
  clock: maybe(withMethods("a clock", "now", "at", "soon")),
};

/** Names that other brokers use for an option. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  auth: "who may enter is decided by plugins: plugins: [authAnonymous()]",
  sys_interval: "it is `sys: { intervalSeconds }` here",
  "timeout-disconnect-delay": "it is `limits: { keepAliveExtra }` here",
  timeout_disconnect_delay: "it is `limits: { keepAliveExtra }` here",
  "topic-check": "who may use which topic is decided by plugins, such as @wrenmq/auth-acl",
  topic_check: "who may use which topic is decided by plugins, such as @wrenmq/auth-acl",
};

export const BROKER: AnySchema = options(FIELDS, {
  exact: true,
  foreign: (key) => (Object.hasOwn(ELSEWHERE, key) ? `unknown option: ${ELSEWHERE[key]}` : undefined),
});
