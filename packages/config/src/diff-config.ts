// Compares two configurations: what a running broker has to change, and what needs a restart.
import { isDeepStrictEqual } from "node:util";
import { fieldTable } from "./description/section.ts";
import { rootSection } from "./sections/root.ts";
import type { Limits, ListenerSection, PluginSection, WrenConfig } from "./wren-config.ts";

type Setting = "session" | "keepAlive" | "sys" | "log";

export interface ListenerUpdate {
  readonly listener: ListenerSection;
  /** Keys that differ; the listener's clients stay connected. */
  readonly changed: readonly (keyof ListenerSection)[];
}

/** The changes of a reload. A listener that is added or rebound may use the port of one that is removed or rebound. */
export interface ReloadPlan {
  readonly listeners: {
    readonly added: readonly ListenerSection[];
    /** Names. */
    readonly removed: readonly string[];
    /** Same name, other type or address: clients of the old listener have to be disconnected. */
    readonly rebound: readonly ListenerSection[];
    readonly updated: readonly ListenerUpdate[];
  };
  /** Global limits that differ. */
  readonly limitsChanged: readonly (keyof Limits)[];
  readonly plugins: {
    readonly added: readonly PluginSection[];
    /** Names. */
    readonly removed: readonly string[];
    /** Same name, other plugin or options: to be closed and loaded again. */
    readonly changed: readonly PluginSection[];
    readonly kept: readonly string[];
    /** Plugins that stay are in another order. */
    readonly reordered: boolean;
  };
  readonly settingsChanged: readonly Setting[];
  /** Keys of the file that a running broker cannot change. */
  readonly needsRestart: readonly string[];
  /** Nothing differs. */
  readonly empty: boolean;
}

/** The properties by which clients find a listener. */
const PLACE: readonly (keyof ListenerSection)[] = ["type", "host", "port", "ipv6Only"];
type AtStart = "admin" | "cluster" | "dollarTopics" | "store" | "workers" | "warmUp" | "shared" | "pluginTimeout";
const AT_START: ReadonlySet<string> = new Set<AtStart>([
  "admin",
  "cluster",
  "dollarTopics",
  "store",
  "workers",
  "warmUp",
  "shared",
  "pluginTimeout",
]);
const SETTINGS: readonly Setting[] = ["session", "keepAlive", "sys", "log"];

/** The changes from `before` to `after`. */
export function diffConfig(before: WrenConfig, after: WrenConfig): ReloadPlan {
  const listeners = diffListeners(before.listeners, after.listeners);
  const plugins = diffPlugins(before.plugins, after.plugins);
  const limitsChanged = changedKeys(before.limits, after.limits);
  const settingsChanged = SETTINGS.filter((key) => !isDeepStrictEqual(before[key], after[key]));
  const needsRestart = fieldTable(rootSection.fields)
    .filter(({ property }) => AT_START.has(property))
    .filter(({ property }) => !isDeepStrictEqual(before[property as AtStart], after[property as AtStart]))
    .map(({ key }) => key);
  const nothing = [
    listeners.added,
    listeners.removed,
    listeners.rebound,
    listeners.updated,
    plugins.added,
    plugins.removed,
    plugins.changed,
    limitsChanged,
    settingsChanged,
    needsRestart,
  ].every((steps) => steps.length === 0);
  const empty = nothing && !plugins.reordered;
  return { listeners, limitsChanged, plugins, settingsChanged, needsRestart, empty };
}

function diffListeners(before: readonly ListenerSection[], after: readonly ListenerSection[]): ReloadPlan["listeners"] {
  const old = new Map(before.map((listener) => [listener.name, listener]));
  const names = new Set(after.map((listener) => listener.name));
  const rebound: ListenerSection[] = [];
  const updated: ListenerUpdate[] = [];
  for (const listener of after) {
    const earlier = old.get(listener.name);
    const changed = earlier ? changedKeys(earlier, listener) : [];
    // The path of a Unix listener is its address; that of a WebSocket listener is only compared with requests.
    const isElsewhere = changed.some((key) => PLACE.includes(key) || (key === "path" && listener.type === "unix"));
    if (isElsewhere) rebound.push(listener);
    else if (changed.length > 0) updated.push({ listener, changed });
  }
  return {
    added: after.filter((listener) => !old.has(listener.name)),
    removed: before.filter((listener) => !names.has(listener.name)).map((listener) => listener.name),
    rebound,
    updated,
  };
}

function diffPlugins(before: readonly PluginSection[], after: readonly PluginSection[]): ReloadPlan["plugins"] {
  const old = new Map(before.map((plugin) => [plugin.name, plugin]));
  const names = new Set(after.map((plugin) => plugin.name));
  const staying = after.filter((plugin) => old.has(plugin.name));
  const earlierOrder = before.filter((plugin) => names.has(plugin.name)).map((plugin) => plugin.name);
  return {
    added: after.filter((plugin) => !old.has(plugin.name)),
    removed: before.filter((plugin) => !names.has(plugin.name)).map((plugin) => plugin.name),
    changed: staying.filter((plugin) => !isDeepStrictEqual(old.get(plugin.name), plugin)),
    kept: staying.filter((plugin) => isDeepStrictEqual(old.get(plugin.name), plugin)).map((plugin) => plugin.name),
    reordered: !isDeepStrictEqual(
      earlierOrder,
      staying.map((plugin) => plugin.name),
    ),
  };
}

function changedKeys<T extends object>(before: T, after: T): (keyof T)[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof T)[]);
  return [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key]));
}
