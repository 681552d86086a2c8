// Python plugins without a counterpart, where they are kept as placeholders instead of being refused.
import { isEmpty, type MapEntry, type SourceNode } from "../source-node.ts";
import { addPlugin, type TranslatedPlugins } from "./translated-plugins.ts";
import type { Translation } from "./translation.ts";

/** What to do about a plugin that is refused; goes on after the refusal. */
export const OWN =
  '; write it for WrenMQ ("Writing a plugin" in docs/plugins.md, and docs/from-amqtt.md) and put its path, such as ./plugin.js, in the place of its name';

/**
 * Adds a placeholder for a plugin without a counterpart: a module of the user that has to be written, with the same
 * options. The broker does not start without it, because the plugin may be the one that refuses clients.
 */
export function addForeign(
  { key, place }: MapEntry,
  options: SourceNode,
  into: TranslatedPlugins,
  { marked, notes }: Translation,
): boolean {
  if (!marked || !(key.includes(".") || isEmpty(options))) return false;
  const words = (key.split(".").at(-1) ?? key).replaceAll(/([a-z\d])([A-Z])/g, "$1-$2").replaceAll("_", "-");
  const file = `./${words.toLowerCase()}.js`;
  const given = options.kind === "map" ? options.entries : [];
  const name = addPlugin(
    into,
    words.toLowerCase(),
    file,
    place,
    Object.fromEntries(given.map((each) => [each.key, each.value])),
  );
  marked.push({
    name,
    comment: `${key} has no counterpart: write it as ${file} ("Writing a plugin" in docs/plugins.md)`,
  });
  notes.push(`${key} has no counterpart: plugins.${name} is its place, and the broker does not start without ${file}`);
  return true;
}
