// Detects in which of the three styles a file is written. Words that only one style has are evidence. Without evidence,
// or with contradictory evidence, misspelt words count as hints, and messages name the doubt.

import { nearestWord } from "@wrenmq/plugin-api/options";
import { BUILT_IN } from "./sections/plugins.ts";
import { lookUp, type MapEntry, type SourceNode } from "./source-node.ts";

export type Style = "native" | "amqtt" | "hbmqtt";

const underscored = (key: string): string => key.replaceAll("-", "_");

const ORIGINAL_TOP = new Set([
  "auth",
  "topic_check",
  "timeout_disconnect_delay",
  "session_expiry_interval",
  "sys_interval",
  "max_qos",
]);
const ORIGINAL_LISTENER = new Set(["ssl", "certfile", "keyfile", "cafile", "capath", "cadata", "reader", "writer"]);
const NATIVE_TOP = new Set([
  "wrenmq",
  "include",
  "limits",
  "store",
  "session",
  "keep_alive",
  "sys",
  "log",
  "admin",
  "cluster",
  "shared_subscriptions",
  "plugin_timeout",
  "workers",
  "warm_up",
]);
const NATIVE_LISTENER = new Set([
  "tls",
  "path",
  "mode",
  "backlog",
  "proxy_protocol",
  "trusted_proxies",
  "origins",
  "access",
  "limits",
]);
const ENTRY_POINTS = new Set([
  "auth_anonymous",
  "auth_file",
  "topic_taboo",
  "topic_acl",
  "broker_sys",
  "event_logger_plugin",
  "packet_logger_plugin",
]);

/** Top-level keys that only hold YAML anchors: `x-tls: &tls …`. */
export const isExtension = (key: string): boolean => /^x-./.test(key);
export const isEntryPoint = (name: string): boolean => ENTRY_POINTS.has(name);
export const isPythonPath = (name: string): boolean => /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(name);

export interface Reading {
  readonly style: Style;
  /** Why this style was assumed, if another may be meant: `"stroe" looks like store`. */
  readonly because?: string;
}

/** A word that is evidence for a style; `hint`: a misspelt word, and the word that it resembles. */
interface Evidence {
  readonly style: "native" | "amqtt";
  readonly key: string;
  readonly hint?: string;
}

/**
 * The style of a tree. Without evidence: aMQTT's if there is a listener called `default` (aMQTT always has one), else
 * native.
 */
export function readingOf(node: SourceNode | undefined): Reading {
  if (node?.kind !== "map" || node.entries.length === 0) return { style: "native" };
  if (lookUp(node, "wrenmq")) return { style: "native" };
  if (isPredecessors(node.entries)) return { style: "hbmqtt" };
  const listeners = entriesOf(lookUp(node, "listeners"));
  const found = [
    ...node.entries.flatMap(topEvidence),
    ...listeners.flatMap((listener) => entriesOf(listener.value)).flatMap(listenerEvidence),
  ];
  const sure = found.filter(({ hint }) => hint === undefined);
  const [original, native] = (["amqtt", "native"] as const).map((style) => sure.find((each) => each.style === style));
  if (original && !native) return { style: "amqtt" };
  if (native && !original) return { style: "native" };
  const both = original && native ? `it has ${original.key}, a key of aMQTT's, and ${native.key}, one of WrenMQ's` : "";
  const hints = found.filter(({ hint }) => hint !== undefined);
  const [first] = hints;
  if (first && hints.every(({ style }) => style === first.style)) {
    return { style: first.style, because: both || `"${first.key}" looks like ${first.hint}` };
  }
  if (both !== "") return { style: "native", because: both };
  if (!listeners.some((listener) => listener.key === "default")) return { style: "native" };
  return { style: "amqtt", because: "it has a listener named default, and nothing that only one of the two has" };
}

/** Does it have what only hbmqtt's documentation and samples have? */
function isPredecessors(entries: readonly MapEntry[]): boolean {
  const value = (key: string): SourceNode | undefined => entries.find((each) => underscored(each.key) === key)?.value;
  if (listedNames(value("plugins")).some(isEntryPoint)) return true;
  const auth = value("auth");
  if (!auth) return false;
  const plugins = lookUp(auth, "plugins");
  return (
    !plugins ||
    listedNames(plugins).some((name) => name.startsWith("auth.")) ||
    entries.some((each) => each.key === "timeout-disconnect-delay")
  );
}

const COMMON_TOP = ["listeners", "plugins"];
const COMMON_LISTENER = ["type", "bind", "max_connections"];

function topEvidence({ key, value }: MapEntry): Evidence[] {
  if (key === "plugins") return pluginEvidence(value);
  if (isExtension(key) || COMMON_TOP.includes(key)) return [];
  if (ORIGINAL_TOP.has(underscored(key))) return [{ style: "amqtt", key }];
  if (NATIVE_TOP.has(key)) return [{ style: "native", key }];
  return hintOf(key, ORIGINAL_TOP, NATIVE_TOP, COMMON_TOP);
}

function pluginEvidence(plugins: SourceNode): Evidence[] {
  if (plugins.kind === "list") return [{ style: "amqtt", key: "a list of plugins" }];
  return entriesOf(plugins).flatMap(({ key, value }): Evidence[] => {
    if (isPythonPath(key)) return [{ style: "amqtt", key }];
    if (Object.hasOwn(BUILT_IN, key)) return [{ style: "native", key: `the plugin ${key}` }];
    if (lookUp(value, "use")) return [{ style: "native", key: "use" }];
    return hintOf(key, ENTRY_POINTS, new Set(Object.keys(BUILT_IN)), []);
  });
}

function listenerEvidence({ key, value }: MapEntry): Evidence[] {
  if (ORIGINAL_LISTENER.has(underscored(key)) || key === "max-connections") return [{ style: "amqtt", key }];
  if (NATIVE_LISTENER.has(key)) return [{ style: "native", key }];
  if (key === "type" && value.kind === "scalar" && ["tls", "wss", "unix"].includes(String(value.value))) {
    return [{ style: "native", key: `type: ${String(value.value)}` }];
  }
  return COMMON_LISTENER.includes(key) ? [] : hintOf(key, ORIGINAL_LISTENER, NATIVE_LISTENER, COMMON_LISTENER);
}

/** The known word that a misspelt one resembles. */
function hintOf(
  key: string,
  original: ReadonlySet<string>,
  native: ReadonlySet<string>,
  common: readonly string[],
): Evidence[] {
  const hint = nearestWord(key, [...common, ...original, ...native]);
  if (hint === undefined || common.includes(hint)) return [];
  return [{ style: original.has(hint) ? "amqtt" : "native", key, hint }];
}

const entriesOf = (node: SourceNode | undefined): readonly MapEntry[] => (node?.kind === "map" ? node.entries : []);

const listedNames = (node: SourceNode | undefined): string[] =>
  node?.kind === "list" ? node.items.flatMap((item) => (item.kind === "scalar" ? [item.text] : [])) : [];
