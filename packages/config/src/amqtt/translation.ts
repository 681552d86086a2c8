// Shared by all parts of the aMQTT style: reads keys in either spelling, and makes native nodes with the place of the
// old ones.
import { nearestWord } from "@wrenmq/plugin-api/options";
import { flag } from "../description/scalars.ts";
import type { Place, Problems } from "../diagnostic.ts";
import { givenTwice } from "../reading/yaml-source.ts";
import {
  below,
  describeNode,
  entry,
  isEmpty,
  type MapEntry,
  map,
  type ScalarNode,
  type SourceNode,
  scalar,
} from "../source-node.ts";

/** The placeholder of a plugin without a counterpart. */
export interface MarkedPlugin {
  /** Its name in the native tree. */
  readonly name: string;
  readonly comment: string;
}

/** The state of a translation; `notes` are changes that are not problems, which `migrate` reports. */
export interface Translation {
  readonly problems: Problems;
  readonly notes: string[];
  /** If present, a plugin without a counterpart becomes a placeholder instead of an error. */
  readonly marked?: MarkedPlugin[];
}

/** A mapping's entries by their names with underscores. */
export type Keys = ReadonlyMap<string, MapEntry>;

/** The entries of a mapping whose known keys (with underscores) may be written with hyphens too. */
export function readKeys(node: SourceNode, known: readonly string[], { problems }: Translation): Keys {
  if (isEmpty(node)) return new Map();
  if (node.kind !== "map") {
    problems.error(node.place, `expected a mapping, got ${describeNode(node)}`, "a mapping");
    return new Map();
  }
  const keys = new Map<string, MapEntry>();
  const open = known.filter((key) => !node.entries.some((each) => each.key.replaceAll("-", "_") === key));
  for (const each of node.entries) {
    const key = each.key.replaceAll("-", "_");
    if (!known.includes(key)) {
      problems.unknownKey(each.place, each.key, known);
      // Its value is read as if the key were spelt right, to report errors in it too.
      const meant = nearestWord(key, open);
      if (meant !== undefined) keys.set(meant, each);
    } else if (key === "capath" && keys.has("capath") && !keys.has("cadata")) {
      // aMQTT's own example has capath twice; the second holds certificate data.
      problems.warn(each.place, "given twice: the second is read as cadata, as the original's example means it");
      keys.set("cadata", each);
    } else {
      if (keys.has(key)) problems.warn(each.place, givenTwice(keys.get(key)?.place));
      keys.set(key, each);
    }
  }
  return keys;
}

/** The value of a key; undefined if it is absent or null. */
export const valueIn = (keys: Keys, key: string): SourceNode | undefined => {
  const value = keys.get(key)?.value;
  return isEmpty(value) ? undefined : value;
};

/** A boolean or a word for one; `fallback` if absent. Anything else is an error. */
export function flagOf(keys: Keys, key: string, fallback: boolean, { problems }: Translation): boolean {
  const value = valueIn(keys, key);
  return (value && flag.read(value, problems)) ?? fallback;
}

/** A number that is not negative; undefined if it is absent or was reported as an error. */
export function numberOf(keys: Keys, key: string, { problems }: Translation): number | undefined {
  const value = valueIn(keys, key);
  if (!value) return undefined;
  if (value.kind === "scalar" && typeof value.value === "number" && value.value >= 0) return value.value;
  const expected = "a number that is not negative";
  return problems.error(value.place, `expected ${expected}, got ${describeNode(value)}`, expected);
}

/** A native scalar with the place of an old node. */
export const native = (value: ScalarNode["value"], place: Place): ScalarNode => scalar(value, place);

/** A native mapping; undefined values are left out. */
export function nativeMap(place: Place, values: Readonly<Record<string, SourceNode | undefined>>): SourceNode {
  const present = Object.entries(values).filter((pair): pair is [string, SourceNode] => pair[1] !== undefined);
  return map(
    present.map(([key, value]) => entry(key, value, { ...value.place, key: below(place, key).key })),
    place,
  );
}

/** Names and options of the items of a list (words or mappings with one key), or of the entries of a mapping. */
export function namedItems(node: SourceNode, { problems }: Translation): MapEntry[] {
  if (node.kind === "map") return [...node.entries];
  if (node.kind !== "list") {
    problems.error(node.place, `expected a list or a mapping, got ${describeNode(node)}`, "a list or a mapping");
    return [];
  }
  return node.items.flatMap((item) => {
    if (item.kind === "map") return [...item.entries];
    if (item.kind === "scalar" && typeof item.value === "string") {
      return [{ key: item.text, place: item.place, value: scalar(null, item.place, "") }];
    }
    problems.error(item.place, `expected a name, got ${describeNode(item)}`, "a name");
    return [];
  });
}
