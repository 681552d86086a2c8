// Translates a tree in the aMQTT or hbmqtt style to a native tree of the same meaning; every node keeps the place of
// its origin.
import { isEntryPoint, type Style } from "../detect-style.ts";
import { isEmpty, map, type SourceNode } from "../source-node.ts";
import { translateAuth, translateTopicCheck } from "./entry-points.ts";
import { translateListeners } from "./listeners.ts";
import { translatePlugin } from "./plugins.ts";
import { addPlugin, type TranslatedPlugins } from "./translated-plugins.ts";
import {
  type Keys,
  namedItems,
  native,
  nativeMap,
  numberOf,
  readKeys,
  type Translation,
  valueIn,
} from "./translation.ts";

const KEYS = [
  "listeners",
  "sys_interval",
  "timeout_disconnect_delay",
  "session_expiry_interval",
  "max_qos",
  "auth",
  "topic_check",
  "plugins",
];

/** The native tree; errors and warnings are added to the translation's problems. */
export function translate(root: SourceNode, style: Style, translation: Translation): SourceNode {
  const written = untyped(root);
  const keys = readKeys(written, KEYS, translation);
  const found = translatePlugins(keys, root, translation);
  const expiry = numberOf(keys, "session_expiry_interval", translation);
  const expiryPlace = keys.get("session_expiry_interval")?.place ?? root.place;
  const expiryNode = expiry === undefined ? undefined : native(`${Math.ceil(expiry)}s`, expiryPlace);
  // hbmqtt's default is 2 seconds, aMQTT's is 0.
  const delay = numberOf(keys, "timeout_disconnect_delay", translation) ?? (style === "hbmqtt" ? 2 : 0);
  const delayPlace = keys.get("timeout_disconnect_delay")?.place ?? root.place;
  noteKeys(keys, delay, translation);
  const translated = nativeMap(root.place, {
    wrenmq: native(1, root.place),
    listeners: translateListeners(keys.get("listeners")?.value, root.place, translation),
    plugins: map(found.plugins, keys.get("plugins")?.value.place ?? root.place),
    limits: keys.has("max_qos") ? nativeMap(root.place, { maximum_qos: valueIn(keys, "max_qos") }) : undefined,
    store: found.store,
    session: expiryNode && nativeMap(expiryPlace, { default_expiry: expiryNode, maximum_expiry: expiryNode }),
    keep_alive:
      delay > 0 ? nativeMap(delayPlace, { extra_delay: native(`${Math.ceil(delay)}s`, delayPlace) }) : undefined,
    sys: sysOf(found, root),
    // The original refuses them.
    dollar_topics: native("refuse", root.place),
  });
  return withPlaceOf(translated, "listeners", keys);
}

/** Uses the place of the key where the value begins in another line. */
function withPlaceOf(tree: SourceNode, key: string, keys: Keys): SourceNode {
  const place = keys.get(key)?.place;
  if (tree.kind !== "map" || place === undefined) return tree;
  return map(
    tree.entries.map((each) => (each.key === key ? { ...each, place } : each)),
    tree.place,
  );
}

const MOVED: Readonly<Record<string, string>> = {
  timeout_disconnect_delay: "keep_alive.extra_delay (added to 1.5 × the keep alive, as the standard has it)",
  session_expiry_interval: "session.default_expiry and session.maximum_expiry",
  sys_interval: "sys.interval",
  max_qos: "limits.maximum_qos",
  auth: "plugins",
  topic_check: "plugins",
};

function noteKeys(keys: Keys, delay: number, { notes }: Translation): void {
  for (const [key, { key: written }] of keys) if (MOVED[key]) notes.push(`${written} → ${MOVED[key]}`);
  if (delay > 0 && !keys.has("timeout_disconnect_delay")) {
    notes.push(`keep_alive.extra_delay: ${delay}s, which hbmqtt adds without saying`);
  }
}

function sysOf({ sysInterval }: TranslatedPlugins, root: SourceNode): SourceNode {
  if (!sysInterval || sysInterval.seconds === 0) {
    return nativeMap(root.place, { enabled: native(false, sysInterval?.place ?? root.place) });
  }
  const { seconds, place } = sysInterval;
  return nativeMap(place, {
    interval: native(`${Math.max(1, Math.round(seconds))}s`, place),
    names: native("amqtt", place),
  });
}

function translatePlugins(keys: Keys, root: SourceNode, translation: Translation): TranslatedPlugins {
  const into: TranslatedPlugins = { plugins: [] };
  const given = valueIn(keys, "plugins");
  const auth = valueIn(keys, "auth");
  const check = valueIn(keys, "topic_check");
  if (given) {
    const items = namedItems(given, translation);
    if (items.some((item) => isEntryPoint(item.key))) {
      translateEntryPoints(keys, root, new Set(items.map((item) => item.key)), into, translation);
      for (const item of items) if (!isEntryPoint(item.key)) translatePlugin(item, into, translation);
      return into;
    }
    for (const item of items) translatePlugin(item, into, translation);
    for (const old of ["auth", "topic_check", "sys_interval"]) {
      const ignored = keys.get(old);
      if (ignored) translation.problems.warn(ignored.place, "ignored, as in the original, because there is `plugins`");
    }
    return into;
  }
  if (auth || check || keys.has("auth") || keys.has("topic_check")) {
    translateEntryPoints(keys, root, undefined, into, translation);
    return into;
  }
  translation.notes.push("no plugins are given: the original's own are written down (loggers, anonymous, $SYS)");
  for (const logger of ["event-log", "packet-log"]) addPlugin(into, logger, logger, root.place, {});
  addPlugin(into, "anonymous", "anonymous", root.place, {
    allow: native(true, root.place),
    named_users: native("allow", root.place),
  });
  into.sysInterval = { seconds: numberOf(keys, "sys_interval", translation) ?? 20, place: root.place };
  return into;
}

/** Plugins of all entry points, or of those in hbmqtt's top-level list, configured by `auth` and `topic-check`. */
function translateEntryPoints(
  keys: Keys,
  root: SourceNode,
  listed: ReadonlySet<string> | undefined,
  into: TranslatedPlugins,
  translation: Translation,
): void {
  const wants = (name: string): boolean => listed === undefined || listed.has(name);
  if (wants("event_logger_plugin")) addPlugin(into, "event-log", "event-log", root.place, {});
  if (wants("packet_logger_plugin")) addPlugin(into, "packet-log", "packet-log", root.place, {});
  translateAuth(valueIn(keys, "auth"), root.place, into, translation);
  translateTopicCheck(valueIn(keys, "topic_check"), into, translation);
  const seconds = numberOf(keys, "sys_interval", translation);
  const place = keys.get("sys_interval")?.place ?? root.place;
  if (seconds !== undefined) into.sysInterval = { seconds, place };
}

/** In the old files a number may be used for a text (a user called 007): fields convert it. */
function untyped(node: SourceNode): SourceNode {
  if (node.kind === "scalar") return isEmpty(node) ? node : { ...node, untyped: true };
  if (node.kind === "list") return { ...node, items: node.items.map(untyped) };
  if (node.kind === "opaque") return node;
  return { ...node, entries: node.entries.map((each) => ({ ...each, value: untyped(each.value) })) };
}
