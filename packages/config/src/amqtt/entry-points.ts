// Translates the old sections `auth` and `topic-check`, whose plugins are named by Python entry points.
import { didYouMean } from "@wrenmq/plugin-api/options";
import type { Place } from "../diagnostic.ts";
import { below, describeNode, type MapEntry, type SourceNode } from "../source-node.ts";
import { addAcl, anonymousOptions } from "./access.ts";
import { addForeign, OWN } from "./foreign-plugin.ts";
import { addPlugin, type TranslatedPlugins } from "./translated-plugins.ts";
import { flagOf, type Keys, namedItems, native, readKeys, type Translation, valueIn } from "./translation.ts";

const AUTH_PLUGINS = ["auth_anonymous", "auth_file"];
const TOPIC_PLUGINS = ["topic_taboo", "topic_acl"];
const ACLS = ["acl", "subscribe_acl", "publish_acl", "receive_acl"];

/**
 * Adds the plugins of the `auth` section; without the section anonymous clients are allowed, as hbmqtt's defaults say.
 */
export function translateAuth(
  auth: SourceNode | undefined,
  place: Place,
  into: TranslatedPlugins,
  translation: Translation,
): void {
  const { problems } = translation;
  const at = auth?.place ?? place;
  const keys: Keys = auth
    ? readKeys(auth, ["plugins", "allow_anonymous", "password_file", "named_users"], translation)
    : new Map();
  const active = activeNames(keys, AUTH_PLUGINS, at, into, translation);
  const file = valueIn(keys, "password_file");
  const wantsFile = active.has("auth_file");
  if (active.has("auth_anonymous")) {
    const options = anonymousOptions(keys, at, translation);
    // auth_file without a file has no users and so refuses every user name.
    const refusesNames = wantsFile && !file && !keys.has("named_users");
    if (refusesNames && keys.get("plugins")) warnNoFile(at, translation);
    addPlugin(into, "anonymous", "anonymous", at, {
      ...options,
      ...(refusesNames ? { named_users: native("ignore", at) } : {}),
    });
  }
  if (wantsFile && file) addPlugin(into, "password-file", "password-file", file.place, { file });
  else if (wantsFile && !active.has("auth_anonymous")) {
    problems.error(below(at, "password-file"), "missing: auth_file needs a password file");
  } else if (file && !wantsFile) problems.warn(file.place, "not used: auth_file is not among auth.plugins");
}

const warnNoFile = (at: Place, { problems }: Translation): void =>
  problems.warn(at, "auth_file has no password-file: clients with a user name are refused");

/** Adds the plugins of the `topic-check` section; without the section every topic is allowed. */
export function translateTopicCheck(
  check: SourceNode | undefined,
  into: TranslatedPlugins,
  translation: Translation,
): void {
  if (!check) return;
  const { problems } = translation;
  const keys = readKeys(check, ["enabled", "plugins", ...ACLS], translation);
  const rules = ACLS.map((key) => keys.get(key)).filter((each) => each !== undefined);
  const says = rules.length > 0 || keys.has("plugins");
  if (!keys.has("enabled") && says) {
    problems.warn(check.place, "enabled is not said: the rules are applied (the original would not apply them)");
  }
  if (!flagOf(keys, "enabled", says, translation)) return;
  const active = activeNames(keys, TOPIC_PLUGINS, check.place, into, translation);
  if (active.has("topic_taboo")) addPlugin(into, "taboo", "taboo", check.place, {});
  if (active.has("topic_acl")) addAcl(keys, check.place, into, translation);
  else for (const { place } of rules) problems.warn(place, "not used: topic_acl is not among topic-check.plugins");
}

/** The names in `plugins`; all of the known ones when the key is missing. */
function activeNames(
  keys: Keys,
  known: readonly string[],
  place: Place,
  into: TranslatedPlugins,
  translation: Translation,
): Set<string> {
  const given = valueIn(keys, "plugins");
  if (!given) return new Set(keys.has("plugins") ? [] : known);
  if (given.kind === "scalar") {
    translation.problems.error(given.place, `expected a list of plugins, got ${describeNode(given)}`);
    return new Set();
  }
  const names = new Set<string>();
  for (const item of namedItems(given, translation)) {
    const name = item.key.replaceAll(/[.-]/g, "_"); // hbmqtt's documentation says auth.anonymous
    if (!known.includes(name)) {
      if (!addForeign(item, item.value, into, translation)) refuse(item, known, place, translation);
    } else if (name !== item.key) translation.problems.warn(item.place, `"${item.key}" is read as ${name}`);
    names.add(name);
  }
  return names;
}

function refuse(item: MapEntry, known: readonly string[], place: Place, { problems }: Translation): void {
  const message = `the Python plugin ${item.key} has no counterpart in WrenMQ${didYouMean(item.key, known)}${OWN}`;
  problems.error({ ...item.place, key: item.place.key || place.key }, message, `one of ${known.join(", ")}`);
}
