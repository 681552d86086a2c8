// Translates anonymous access and ACLs, which the old sections and the new plugins of aMQTT write alike.
import type { Place } from "../diagnostic.ts";
import { list, map, type SourceNode } from "../source-node.ts";
import { addPlugin, type TranslatedPlugins } from "./translated-plugins.ts";
import { flagOf, type Keys, native, type Translation, valueIn } from "./translation.ts";

/** Options of the `anonymous` plugin for the old `allow_anonymous`, without its security hole. */
export function anonymousOptions(
  options: Keys,
  place: Place,
  translation: Translation,
): Record<string, SourceNode | undefined> {
  const allow = flagOf(options, "allow_anonymous", true, translation);
  const at = options.get("allow_anonymous")?.place ?? place;
  const named = valueIn(options, "named_users");
  if (allow) return { allow: native(true, at), named_users: named ?? native("allow", at) };
  if (!named) {
    translation.problems.warn(
      at,
      "false: clients with a user name are now left to the other plugins; the original let them in without a password (named_users: allow brings that back)",
    );
  }
  return { allow: native(false, at), named_users: named ?? native("ignore", at) };
}

/** Adds an ACL; one without any list would allow everything and is left out. */
export function addAcl(options: Keys, place: Place, into: TranslatedPlugins, translation: Translation): void {
  const tables = aclOptions(options, translation);
  if (Object.values(tables).some((table) => table !== undefined)) addPlugin(into, "acl", "acl", place, tables);
  else translation.problems.warn(place, "the ACL has no rules: every topic is allowed");
}

/** The lists of an ACL as mappings, whether they were written as mappings or as lists. */
function aclOptions(options: Keys, translation: Translation): Record<string, SourceNode | undefined> {
  const acl = valueIn(options, "acl");
  const subscribe = valueIn(options, "subscribe_acl");
  if (acl && subscribe) {
    translation.problems.error(subscribe.place, "acl and subscribe-acl mean the same: give only one of them");
  }
  return {
    subscribe: aclTable(subscribe ?? acl),
    publish: aclTable(valueIn(options, "publish_acl")),
    receive: aclTable(valueIn(options, "receive_acl")),
  };
}

function aclTable(node: SourceNode | undefined): SourceNode | undefined {
  const entries = node?.kind === "list" ? node.items.flatMap((item) => (item.kind === "map" ? item.entries : [])) : [];
  const isListOfMaps = node?.kind === "list" && node.items.every((item) => item.kind === "map");
  const table = isListOfMaps ? map(entries, node.place) : node;
  if (table?.kind !== "map") return table;
  const filters = (value: SourceNode): SourceNode => {
    if (value.kind !== "scalar") return value;
    return list(value.value === null ? [] : [value], value.place); // "user:" and "user: topic" for a list
  };
  return map(
    table.entries.map((each) => ({ ...each, value: filters(each.value) })),
    table.place,
  );
}
