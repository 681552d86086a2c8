// Translates listeners of the aMQTT style: missing keys come from the listener `default`, and TLS is a flag beside
// `type`.

import { didYouMean } from "@wrenmq/plugin-api/options";
import type { Place } from "../diagnostic.ts";
import { type Address, formatBind, parseBind } from "../sections/bind.ts";
import { below, entry, isEmpty, type MapEntry, map, type SourceNode } from "../source-node.ts";
import { flagOf, type Keys, native, nativeMap, readKeys, type Translation, valueIn } from "./translation.ts";

const KEYS = [
  "type",
  "bind",
  "max_connections",
  "ssl",
  "cafile",
  "capath",
  "cadata",
  "certfile",
  "keyfile",
  "reader",
  "writer",
] as const;

const TYPES = ["tcp", "ws", "external"];

/** The native `listeners`; when the section is missing `place` is that of the whole file. */
export function translateListeners(node: SourceNode | undefined, place: Place, translation: Translation): SourceNode {
  if (!node || isEmpty(node)) return nativeMap(place, { default: everywhere(place) });
  if (node.kind !== "map") return node; // the native reader says what is wrong
  const all = node.entries.map((each) => ({ entry: each, keys: readKeys(each.value, KEYS, translation) }));
  const base = all.find((each) => each.entry.key === "default")?.keys;
  const entries = all.flatMap(({ entry: own, keys }) => {
    if (own.key === "default" && isTemplate(keys, all.length)) {
      translation.notes.push("listener default has no bind: it is only the template of the others");
      return [];
    }
    const merged: Keys = base ? new Map([...base, ...keys]) : keys;
    return [entry(own.key, translateListener(own, merged, translation), own.place)];
  });
  return map(entries, node.place);
}

const everywhere = (place: Place): SourceNode =>
  nativeMap(place, { type: native("tcp", place), bind: native("0.0.0.0:1883", place) });

function isTemplate(keys: Keys, listeners: number): boolean {
  const type = valueIn(keys, "type");
  const external = type?.kind === "scalar" && type.value === "external";
  return listeners > 1 && !keys.has("bind") && !external;
}

function translateListener(own: MapEntry, keys: Keys, translation: Translation): SourceNode {
  const { problems } = translation;
  const place = own.value.place;
  const type = typeOf(keys, translation);
  const secure = flagOf(keys, "ssl", false, translation);
  for (const unused of ["reader", "writer"]) {
    const value = valueIn(keys, unused);
    if (value) problems.warn(value.place, "has no meaning here (nor had it in the original)");
  }
  const typeNode = native(nativeType(type, secure), valueIn(keys, "type")?.place ?? below(place, "type"));
  const common = { type: typeNode, max_connections: maxConnections(keys) };
  if (secure && type !== "external") {
    translation.notes.push(`listener ${own.key}: ssl → type: ${nativeType(type, secure)} with tls`);
  }
  if (type === "external") return nativeMap(place, common);
  return nativeMap(place, {
    type: typeNode,
    bind: bindOf(own, keys, type, secure, translation),
    max_connections: common.max_connections,
    tls: tlsOf(place, keys, secure, translation),
  });
}

function typeOf(keys: Keys, { problems }: Translation): string {
  const node = valueIn(keys, "type");
  const type = node?.kind === "scalar" ? node.text : "tcp";
  if (node && (node.kind !== "scalar" || !TYPES.includes(type))) {
    problems.error(node.place, `expected tcp, ws or external, got "${type}"${didYouMean(type, TYPES)}`);
    return "tcp";
  }
  return type;
}

const nativeType = (type: string, secure: boolean): string => {
  if (!secure || type === "external") return type;
  return type === "ws" ? "wss" : "tls";
};

/** 0 and -1 both mean "no limit" in aMQTT. */
function maxConnections(keys: Keys): SourceNode | undefined {
  const node = valueIn(keys, "max_connections");
  return node?.kind === "scalar" && node.value === -1 ? native(0, node.place) : node;
}

function bindOf(own: MapEntry, keys: Keys, type: string, secure: boolean, { problems }: Translation): SourceNode {
  const node = valueIn(keys, "bind");
  const isOwn = own.value.kind === "map" && own.value.entries.some((each) => each.key === "bind");
  const place: Place = isOwn && node ? node.place : below(own.value.place, "bind");
  if (!node) return native(type === "ws" ? formatBind(webDefault(secure)) : "0.0.0.0:1883", place);
  const written = node.kind === "scalar" ? node.text : undefined;
  const web = type === "ws";
  const address = written === undefined ? undefined : parseBind(written, web ? webDefault(secure).port : 1883);
  if (!address) return node;
  if (web && written !== undefined && !namesPort(written)) {
    problems.warn(place, `no port given: ${address.port} is used (the original took 8883, the port of MQTT over TLS)`);
  }
  return native(formatBind(address), place);
}

const webDefault = (secure: boolean): Address => ({ host: "0.0.0.0", port: secure ? 8443 : 8080 });

/** A default port is used only where none was written. */
const namesPort = (written: string): boolean => parseBind(written, 1)?.port === parseBind(written, 2)?.port;

function tlsOf(place: Place, keys: Keys, secure: boolean, { problems }: Translation): SourceNode | undefined {
  const certificate = valueIn(keys, "certfile");
  const key = valueIn(keys, "keyfile");
  if (!secure) {
    if (certificate) problems.warn(certificate.place, "not used: ssl is off");
    return undefined;
  }
  if (!certificate) problems.error(below(place, "certfile"), "missing: ssl needs a certificate and its key");
  else if (!key) problems.warn(certificate.place, "there is no keyfile: the key is read from this file too");
  const authorities = {
    ca_file: valueIn(keys, "cafile"),
    ca_path: valueIn(keys, "capath"),
    ca_data: valueIn(keys, "cadata"),
  };
  const asks = Object.values(authorities).find((node) => node !== undefined);
  return nativeMap(place, {
    certificate_file: certificate,
    // Python's load_cert_chain() reads both from one file.
    key_file: key ?? certificate,
    ...authorities,
    // aMQTT asks for a certificate but does not require one (CERT_OPTIONAL).
    request_certificate: asks ? native(true, asks.place) : undefined,
  });
}
