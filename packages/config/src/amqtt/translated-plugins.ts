// Collects translated plugins, each under a unique name.
import type { Place } from "../diagnostic.ts";
import { entry, type MapEntry, type SourceNode, scalar } from "../source-node.ts";
import { nativeMap } from "./translation.ts";

/** The result of translating a list of plugins: native plugins, and what became sections of its own. */
export interface TranslatedPlugins {
  readonly plugins: MapEntry[];
  sysInterval?: { readonly seconds: number; readonly place: Place };
  store?: SourceNode;
}

/**
 * Adds a native plugin under its name, with a number if the name is taken.
 * @returns the name
 */
export function addPlugin(
  into: TranslatedPlugins,
  name: string,
  use: string,
  place: Place,
  options: Readonly<Record<string, SourceNode | undefined>>,
): string {
  const taken = new Set(into.plugins.map((each) => each.key));
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
  const said = free === use ? {} : { use: scalar(use, place) };
  into.plugins.push(entry(free, nativeMap(place, { ...said, ...options }), place));
  return free;
}
