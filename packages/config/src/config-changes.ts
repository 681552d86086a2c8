// What is different between two configurations, key by key, in the words of the native file; secrets are masked.
import { isDeepStrictEqual } from "node:util";
import { plainOf } from "./describe.ts";
import { diffConfig } from "./diff-config.ts";
import type { WrenConfig } from "./wren-config.ts";

/**
 * What a reload does about a key:
 * - `now`: it counts at once, clients stay
 * - `opens`, `closes`, `moves`: a listener; its clients are disconnected when it closes or moves
 * - `starts`, `stops`, `startsAgain`: a plugin
 * - `order`: plugins are asked in another order
 * - `restart`: nothing, it waits for a restart of the broker
 */
export type ChangeEffect =
  | "now"
  | "opens"
  | "closes"
  | "moves"
  | "starts"
  | "stops"
  | "startsAgain"
  | "order"
  | "restart";

export interface ConfigChange {
  /** Path of the key in the native file: `limits.max_sessions`. */
  readonly key: string;
  /** Absent: there was none. At most 300 characters. */
  readonly before?: string;
  /** Absent: there is none any more. */
  readonly after?: string;
  readonly effect: ChangeEffect;
}

/** Characters of a value. */
const LONGEST_VALUE = 300;

/** A value as it is, and as it may be shown. */
interface Value {
  readonly plain: unknown;
  readonly masked: unknown;
}

type EffectOf = (path: readonly string[]) => ChangeEffect;

/** The changes that a reload makes, in the order of the file. */
export function configChanges(before: WrenConfig, after: WrenConfig): ConfigChange[] {
  const effectOf = effects(before, after);
  const changes = differences(bothOf(before), bothOf(after), [], effectOf);
  if (diffConfig(before, after).plugins.reordered) {
    const names = ({ plugins }: WrenConfig): string => plugins.map(({ name }) => name).join(", ");
    changes.push({ key: "plugins", before: cut(names(before)), after: cut(names(after)), effect: "order" });
  }
  return changes;
}

function bothOf(config: WrenConfig): Value {
  return { plain: plainOf(config, false), masked: plainOf(config, true) };
}

function differences(before: Value, after: Value, path: readonly string[], effectOf: EffectOf): ConfigChange[] {
  if (isDeepStrictEqual(before.plain, after.plain)) return [];
  const all = [before.plain, after.plain, before.masked, after.masked];
  if (!all.every(isMapping)) {
    const [was, is] = [textOf(before.masked), textOf(after.masked)];
    const change = { key: path.join("."), effect: effectOf(path) };
    return [{ ...change, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) }];
  }
  const keys = new Set(all.flatMap((one) => Object.keys(one as object)));
  return [...keys].flatMap((key) => differences(below(before, key), below(after, key), [...path, key], effectOf));
}

function below({ plain, masked }: Value, key: string): Value {
  const of = (value: unknown): unknown => (value as Readonly<Record<string, unknown>>)[key];
  return { plain: of(plain), masked: of(masked) };
}

function effects(before: WrenConfig, after: WrenConfig): EffectOf {
  const { listeners, plugins, needsRestart } = diffConfig(before, after);
  const named = (
    effect: ChangeEffect,
    all: readonly (string | { readonly name: string })[],
  ): [string, ChangeEffect][] => all.map((one) => [typeof one === "string" ? one : one.name, effect]);
  const ofListeners = new Map([
    ...named("opens", listeners.added),
    ...named("closes", listeners.removed),
    ...named("moves", listeners.rebound),
  ]);
  const ofPlugins = new Map([
    ...named("starts", plugins.added),
    ...named("stops", plugins.removed),
    ...named("startsAgain", plugins.changed),
  ]);
  return ([section = "", name = ""]) => {
    if (section === "listeners") return ofListeners.get(name) ?? "now";
    if (section === "plugins") return ofPlugins.get(name) ?? "now";
    const waits = needsRestart.includes(section) || section === "session" || section === "sys";
    return waits || (section === "log" && name !== "level") ? "restart" : "now";
  };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (!isMapping(value)) return cut(Array.isArray(value) ? value.map(inlineOf).join(", ") : String(value));
  const parts = Object.entries(value).map(([key, inner]) => `${key}: ${inlineOf(inner)}`);
  return cut(parts.length === 0 ? "{}" : parts.join(", "));
}

function inlineOf(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function cut(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}
