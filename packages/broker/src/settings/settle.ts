// Checks the options when they are given, before anything is done with them: a JavaScript program has no compiler to do
// it, and a misspelt option must not leave a broker more open than its owner wanted.
import type { Plugin } from "@wrenmq/plugin-api";
import { didYouMean, type Option, type OptionIssue, options, pathOf } from "@wrenmq/plugin-api/options";
import { type BrokerLimits, DEFAULT_LIMITS } from "../limits/limits.ts";
import type { ListenerOptions } from "../listeners/listener-options.ts";
import type { BrokerOptions } from "../options.ts";
import { BrokerError } from "../runtime/broker-error.ts";
import { BROKER, LIMITS_OF_BROKER, REPLACEMENT } from "./broker-table.ts";
import { EXACT } from "./fields.ts";
import { CHANGING, LISTENER } from "./listener-table.ts";
import { thisMachineOnly } from "./this-machine-only.ts";

/** The options of a broker with defaults filled in. */
export interface SettledOptions extends BrokerOptions {
  readonly listeners: Readonly<Record<string, ListenerOptions>>;
  readonly plugins: readonly Plugin[];
  readonly limits: BrokerLimits;
  readonly session: Required<NonNullable<BrokerOptions["session"]>>;
  readonly shared: NonNullable<BrokerOptions["shared"]>;
  readonly sys: Required<NonNullable<BrokerOptions["sys"]>>;
  readonly dollarTopics: NonNullable<BrokerOptions["dollarTopics"]>;
}

/** As aMQTT's broker without a configuration, but for this machine only. */
const DEFAULT_LISTENERS: SettledOptions["listeners"] = { default: { type: "tcp", host: "localhost", port: 1883 } };

/** @throws BrokerError ERR_BROKER_CONFIG naming the option */
export function settle(options: BrokerOptions): SettledOptions {
  const caller = "createBroker()";
  check(BROKER, options, caller);
  const { listeners = DEFAULT_LISTENERS, limits, session, shared, sys } = options;
  const plugins = options.plugins ?? (options.listeners === undefined ? [thisMachineOnly] : []);
  checkNames(plugins, listeners, caller);
  return {
    ...options,
    listeners: eachCleared(listeners),
    plugins,
    limits: { ...DEFAULT_LIMITS, ...present(limits) },
    session: { defaultExpiry: Number.POSITIVE_INFINITY, maximumExpiry: Number.POSITIVE_INFINITY, ...present(session) },
    shared: shared ?? { strategy: "round-robin" },
    sys: { intervalSeconds: 20, names: "amqtt", ...present(sys) },
    dollarTopics: options.dollarTopics ?? "allow",
  };
}

/** @throws BrokerError ERR_BROKER_CONFIG */
export function settleLimits(limits: Partial<BrokerLimits>, caller: string): BrokerLimits {
  check(LIMITS_OF_BROKER, limits, caller);
  return { ...DEFAULT_LIMITS, ...present(limits) };
}

/**
 * @param plugins the running ones
 * @throws BrokerError ERR_BROKER_CONFIG
 */
export function settleListener(options: ListenerOptions, plugins: readonly Named[], caller: string): ListenerOptions {
  check(LISTENER, options, caller);
  mustExist(options, plugins, { caller, path: "plugins" });
  return cleared(options);
}

type Change = Pick<ListenerOptions, "limits" | "maxConnections" | "plugins">;
const CHANGE = options(CHANGING, EXACT);

/**
 * @param plugins the running ones
 * @throws BrokerError ERR_BROKER_CONFIG
 */
export function settleChange(change: Change, plugins: readonly Named[], caller: string): Change {
  check(CHANGE, change, caller);
  mustExist(change, plugins, { caller, path: "plugins" });
  return cleared(change);
}

/**
 * Other listeners, plugins or limits; what is undefined stays as it is.
 * @throws BrokerError ERR_BROKER_CONFIG
 */
export function settleReplacement(
  replacement: Pick<BrokerOptions, "listeners" | "plugins" | "limits">,
  now: { readonly listeners: Readonly<Record<string, Change>>; readonly plugins: readonly Named[] },
  caller: string,
): Partial<Pick<SettledOptions, "listeners" | "plugins" | "limits">> {
  check(REPLACEMENT, replacement, caller);
  const { listeners, plugins, limits } = replacement;
  checkNames(plugins ?? now.plugins, listeners ?? now.listeners, caller);
  return {
    ...(listeners && { listeners: eachCleared(listeners) }),
    ...(plugins && { plugins }),
    ...(limits && { limits: { ...DEFAULT_LIMITS, ...present(limits) } }),
  };
}

type Named = Pick<Plugin, "name">;

/** @throws BrokerError when two plugins have the same name, or a listener names an unknown one */
function checkNames(plugins: readonly Named[], listeners: Readonly<Record<string, Change>>, caller: string): void {
  const names = plugins.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name);
    if (first === index) continue;
    const how = `give one of them another, { ...plugin, name: "${name}-2" }`;
    throw mistake(caller, `plugins[${index}].name`, `plugins[${first}] has the name "${name}" already; ${how}`);
  }
  for (const [name, options] of Object.entries(listeners)) {
    mustExist(options, plugins, { caller, path: `listeners.${name}.plugins` });
  }
}

function mustExist(
  { plugins: wanted = [] }: Change,
  plugins: readonly Named[],
  { caller, path }: { readonly caller: string; readonly path: string },
): void {
  const names = plugins.map(({ name }) => name);
  for (const [index, name] of wanted.entries()) {
    if (names.includes(name)) continue;
    const known = names.length === 0 ? "there are none" : `there are ${names.join(", ")}`;
    throw mistake(caller, `${path}[${index}]`, `no plugin has the name "${name}"${didYouMean(name, names)}; ${known}`);
  }
}

/** @throws BrokerError ERR_BROKER_CONFIG */
export function check(option: Option<unknown, unknown>, value: unknown, caller: string): void {
  const issues: OptionIssue[] = [];
  option.read(value, [], issues);
  const [first] = issues;
  if (first !== undefined) throw mistake(caller, pathOf(first.path), first.message);
}

function mistake(caller: string, option: string, message: string): BrokerError {
  const where = option === "" ? caller : `${caller}: ${option}`;
  return new BrokerError("ERR_BROKER_CONFIG", `${where}: ${message}`, { option });
}

/** Drops undefined values, which would hide a default. */
function present<T extends object>(given: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function cleared<T extends Change>(options: T): T {
  const rest = present(options) as T;
  return rest.limits === undefined ? rest : { ...rest, limits: present(rest.limits) };
}

function eachCleared(listeners: SettledOptions["listeners"]): SettledOptions["listeners"] {
  return Object.fromEntries(Object.entries(listeners).map(([name, one]) => [name, cleared(one)]));
}
