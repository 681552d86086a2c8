// Which of the three styles a file is in. Only words that one style has and the other has not are evidence.

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

export const isEntryPoint = (name: string): boolean => ENTRY_POINTS.has(name);
export const isPythonPath = (name: string): boolean => /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(name);

/** The style of a tree. Without evidence: aMQTT if there is a listener called `default` (it always had one), else native. */
export function styleOf(node: SourceNode | undefined): Style {
  if (node?.kind !== "map" || node.entries.length === 0) return "native";
  if (lookUp(node, "wrenmq")) return "native";
  const hbmqtt = isPredecessors(node.entries);
  if (hbmqtt) return "hbmqtt";
  const listeners = entriesOf(lookUp(node, "listeners"));
  const evidence = [
    ...node.entries.map(topEvidence),
    ...listeners.flatMap((listener) => entriesOf(listener.value)).map(listenerEvidence),
  ];
  const original = evidence.includes("amqtt");
  const native = evidence.includes("native");
  if (original !== native) return original ? "amqtt" : "native";
  return listeners.some((listener) => listener.key === "default") && !native ? "amqtt" : "native";
}

/** Things that only hbmqtt's own documentation and samples say. */
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

function topEvidence({ key, value }: MapEntry): Style | undefined {
  if (ORIGINAL_TOP.has(underscored(key))) return "amqtt";
  if (NATIVE_TOP.has(key)) return "native";
  if (key !== "plugins") return undefined;
  if (value.kind === "list") return "amqtt";
  const names = entriesOf(value).map((each) => each.key);
  if (names.some(isPythonPath)) return "amqtt";
  const hasUse = entriesOf(value).some((each) => lookUp(each.value, "use"));
  return hasUse || names.some((name) => Object.hasOwn(BUILT_IN, name)) ? "native" : undefined;
}

function listenerEvidence({ key, value }: MapEntry): Style | undefined {
  if (ORIGINAL_LISTENER.has(underscored(key)) || key === "max-connections") return "amqtt";
  if (NATIVE_LISTENER.has(key)) return "native";
  const native = key === "type" && value.kind === "scalar" && ["tls", "wss", "unix"].includes(String(value.value));
  return native ? "native" : undefined;
}

const entriesOf = (node: SourceNode | undefined): readonly MapEntry[] => (node?.kind === "map" ? node.entries : []);

const listedNames = (node: SourceNode | undefined): string[] =>
  node?.kind === "list" ? node.items.flatMap((item) => (item.kind === "scalar" ? [item.text] : [])) : [];
