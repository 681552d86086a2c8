// The section `listeners`. The file has `bind`, the result host and port.
import { BlockList, isIP, isIPv6 } from "node:net";
import { listOf } from "../description/collections.ts";
import { duration, size } from "../description/quantities.ts";
import { choice, count, flag, integer, pattern, resolvePath, text } from "../description/scalars.ts";
import { fieldTable, type Section, section } from "../description/section.ts";
import { scalarType, type ValueType } from "../description/value-type.ts";
import type { Problems } from "../diagnostic.ts";
import { below, lookUp, type SourceNode } from "../source-node.ts";
import type { ListenerSection, ListenerType } from "../wren-config.ts";
import { type Address, BIND_EXPECTED, DEFAULT_PORTS, formatBind, parseBind } from "./bind.ts";
import { GLOBAL_LIMITS, limitsSection } from "./limits.ts";
import { tlsSection } from "./tls.ts";

/** A listener as it is written: its name is a key, address and permissions are texts. */
interface ListenerFile extends Omit<ListenerSection, "name" | "host" | "port" | "mode"> {
  bind?: string;
  mode?: string;
}

const addressRange: ValueType<string> = scalarType({
  expected: "an address or range such as 10.0.0.0/8",
  schema: { type: "string" },
  parse: ({ value }) => (typeof value === "string" && isRange(value) ? value : undefined),
});

const inherit = choice(["inherit"]);
const pluginNames = listOf(text("the name of a plugin"), "a list of plugin names");
const access: ValueType<string[] | "inherit"> = {
  expected: "a list of plugin names, or inherit",
  schema: { anyOf: [pluginNames.schema, inherit.schema] },
  read: (node, problems) => (node.kind === "list" ? pluginNames : inherit).read(node, problems),
  write: (value) => value,
};

const bindType: ValueType<string> = scalarType({
  expected: BIND_EXPECTED,
  schema: { type: ["string", "integer"] },
  parse: ({ value, text: written }) =>
    (typeof value === "string" || typeof value === "number") && parseBind(written, 0) ? written : undefined,
});

const fileSection: Section<ListenerFile> = section<ListenerFile>("One listener.", {
  type: {
    doc: "`external` opens no socket: the embedding program passes connections to the broker.",
    type: choice(["tcp", "tls", "ws", "wss", "unix", "external"]),
    default: "tcp",
  },
  bind: {
    doc: `Address and port: ${BIND_EXPECTED.replace("an address such as ", "")}. Default ports: tcp 1883, tls 8883, ws 8080, wss 8443; 0 is any free port.`,
    type: bindType,
  },
  path: { doc: "`unix`: path of the socket. `ws`, `wss`: path of the URL; without it: any.", type: text("a path") },
  mode: {
    doc: '`unix`: permissions of the socket, e.g. `"0660"`.',
    type: pattern('octal permissions such as "0660"', /0?[0-7]{3}/),
  },
  backlog: { doc: "Connections that the system queues before they are accepted.", type: integer(1, 65_535) },
  ipv6Only: { doc: 'With an IPv6 address such as `"[::]:1883"`: do not listen for IPv4.', type: flag },
  rawTcp: {
    doc: "`tcp`, `tls`, `ws`, `unix`: `false` uses Node's own sockets, which take up to twice the time to accept and several kilobytes more. Without it: only where they are needed.",
    type: flag,
  },
  lingerTimeout: {
    key: "linger",
    doc: "Time that a closing connection has to send what is left. Without it: 2s.",
    type: duration("ms"),
  },
  handshakeTimeout: {
    key: "handshake_timeout",
    doc: "`tls`, `ws`, `wss`: how long the TLS handshake, and how long the HTTP request, may take. Without it: 10s.",
    type: duration("ms", { positive: true }),
  },
  tcpKeepAliveDelay: {
    key: "tcp_keep_alive",
    doc: "Time without data after which TCP probes are sent. Without it: none are; MQTT has its own keep alive.",
    type: duration("ms", { positive: true }),
  },
  maxPayload: {
    doc: "`ws`, `wss`: longest WebSocket message. Below `max_packet_size` it is also the Maximum Packet Size that MQTT 5 announces. Without it: no limit.",
    type: size(),
  },
  maxConnections: { doc: "Connections of this listener.", type: count, default: 0 },
  tls: { doc: "Needed by `tls` and `wss`.", type: tlsSection },
  proxyProtocol: {
    doc: "Connections from `trusted_proxies` start with a PROXY header, version 1 or 2.",
    type: flag,
    default: false,
  },
  proxyTimeout: {
    key: "proxy_timeout",
    doc: "How long the PROXY header may take. Without it: 5s.",
    type: duration("ms", { positive: true }),
  },
  trustedProxies: {
    doc: "Proxies whose PROXY header (or X-Forwarded-For, for ws) is believed.",
    type: listOf(addressRange, "a list of addresses or ranges"),
    default: [],
  },
  origins: {
    doc: "`ws`, `wss`: web pages of these origins may connect; without it: pages of any origin.",
    type: listOf(text("an origin such as https://example.org"), "a list of origins"),
    default: [],
  },
  access: {
    doc: "Names of the plugins that decide about clients of this listener; `inherit`: all.",
    type: access,
    default: "inherit",
  },
  limits: {
    doc: "Overrides of the global limits; limits of queues apply to the sessions whose clients used this listener last.",
    type: limitsSection.partial(GLOBAL_LIMITS),
    default: {},
  },
});

export const listenerSection: Pick<Section<ListenerFile>, "doc" | "fields" | "schema"> = fileSection;

const isNetwork = (type: ListenerType): boolean => type !== "unix" && type !== "external";
const isSecure = (type: ListenerType): boolean => type === "tls" || type === "wss";
const isWeb = (type: ListenerType): boolean => type === "ws" || type === "wss";

export const listenersSection: ValueType<ListenerSection[]> = {
  expected: "a mapping of names to listeners",
  schema: { type: "object", description: "Where clients connect, by name.", additionalProperties: fileSection.schema },
  read(node, problems) {
    if (node.kind !== "map") {
      return problems.error(node.place, "expected a mapping of names to listeners", "a mapping of names to listeners");
    }
    const listeners = node.entries.flatMap(({ key, value }) => readListener(key, value, problems) ?? []);
    checkAddresses(node, listeners, problems);
    return listeners;
  },
  write: (listeners, options) =>
    Object.fromEntries(listeners.map((each) => [each.name, fileSection.write(toFile(each), options)])),
};

function readListener(name: string, node: SourceNode, problems: Problems): ListenerSection | undefined {
  const before = problems.errors.length;
  const file = fileSection.read(node, problems);
  if (!file) return undefined;
  const isKnownWrong = (key: string): boolean =>
    problems.errors.slice(before).some((error) => isAtOrBelow(error.key, below(node.place, key).key));
  for (const { key, message, needs = [] } of misplacedKeys(file, node)) {
    if (["type", key, ...needs].some(isKnownWrong)) continue; // what was not read says nothing about the others
    problems.error((lookUp(node, key) ?? node).place, message);
  }
  const { type, bind, path, mode, backlog, ...rest } = file;
  const address = isNetwork(type) ? parseBind(bind ?? "", DEFAULT_PORTS[type] ?? 0) : undefined;
  const isUnix = type === "unix";
  return {
    name,
    type,
    ...address,
    ...(path === undefined ? {} : { path: isUnix ? resolvePath(path, node.place.file) : path }),
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
    ...(backlog === undefined ? {} : { backlog }),
    ...rest,
  };
}

const isAtOrBelow = (key: string, above: string): boolean => key === above || key.startsWith(`${above}.`);

interface Misplaced {
  readonly key: string;
  readonly message: string;
  /** Other keys that the message is about. */
  readonly needs?: readonly string[];
}

/** Keys that do not fit the listener's type or each other, or that are missing. */
function misplacedKeys(file: ListenerFile, node: SourceNode): Misplaced[] {
  const { type } = file;
  const found: Misplaced[] = [];
  const hasTls = file.tls !== undefined || lookUp(node, "tls") !== undefined;
  if (isSecure(type) && !hasTls) {
    const message = `tls: missing: a listener of type ${type} needs certificate_file and key_file`;
    found.push({ key: "tls", message });
  }
  if (!isSecure(type) && hasTls) {
    const secure = isWeb(type) ? "wss" : "tls";
    found.push({ key: "tls", message: `a listener of type ${type} has no TLS (did you mean type: ${secure}?)` });
  }
  if (!isNetwork(type) && file.bind !== undefined) {
    const message = `a listener of type ${type} has no address${type === "unix" ? "; it has a path" : ""}`;
    found.push({ key: "bind", message });
  }
  if (type === "unix" && !file.path) found.push({ key: "path", message: "path: missing: a unix listener needs one" });
  if (type !== "unix" && file.mode) found.push({ key: "mode", message: "only unix sockets have permissions" });
  if (file.path !== undefined && type !== "unix" && !isWeb(type)) {
    found.push({ key: "path", message: `a listener of type ${type} has no path` });
  }
  if (isWeb(type) && file.path !== undefined && !file.path.startsWith("/")) {
    found.push({ key: "path", message: `expected a path that starts with "/", got "${file.path}"` });
  }
  if (file.proxyProtocol && file.trustedProxies.length === 0) {
    const message = "needs trusted_proxies: nobody's header would be believed";
    found.push({ key: "proxy_protocol", message, needs: ["trusted_proxies"] });
  }
  if (!file.proxyProtocol && file.proxyTimeout !== undefined) {
    found.push({ key: "proxy_timeout", message: "only with proxy_protocol: true", needs: ["proxy_protocol"] });
  }
  if (file.ipv6Only !== undefined && !isIPv6(parseBind(file.bind ?? "", 0)?.host ?? "")) {
    const message = 'only with an IPv6 address to bind, such as "[::]:1883"';
    found.push({ key: "ipv6_only", message, needs: ["bind"] });
  }
  for (const { property, key } of fieldTable(fileSection.fields)) {
    const types = ONLY_FOR[property as keyof ListenerFile];
    if (types === undefined || file[property as keyof ListenerFile] === undefined || types.includes(type)) continue;
    found.push({ key, message: `only for listeners of type ${types.join(" or ")}` });
  }
  return found;
}

/** Keys that only these types have. */
const ONLY_FOR: Readonly<Partial<Record<keyof ListenerFile, readonly ListenerType[]>>> = {
  rawTcp: ["tcp", "tls", "ws", "unix"],
  handshakeTimeout: ["tls", "ws", "wss"],
  tcpKeepAliveDelay: ["tcp", "tls", "ws", "wss"],
  maxPayload: ["ws", "wss"],
  lingerTimeout: ["tcp", "tls", "ws", "wss", "unix"],
};

/** Reports two listeners on one port, which would otherwise fail at the start. */
function checkAddresses(node: SourceNode, listeners: readonly ListenerSection[], problems: Problems): void {
  const seen = new Map<string, string>();
  for (const listener of listeners) {
    const { name, type, path, port, host } = listener;
    if (port === 0 || type === "external" || (type === "unix" && path === undefined)) continue;
    const where = type === "unix" ? `unix:${path}` : formatBind({ port: port ?? 0, ...(host ? { host } : {}) });
    const other = seen.get(where);
    seen.set(where, name);
    if (other === undefined) continue;
    const own = lookUp(node, name);
    const place = lookUp(own, type === "unix" ? "path" : "bind")?.place ?? (own ?? node).place;
    problems.error(place, `${where} is already used by listener ${other}`);
  }
}

function toFile(listener: ListenerSection): ListenerFile {
  const { name: _name, host, port, path, mode, ...rest } = listener;
  const address: Address | undefined = port === undefined ? undefined : { port, ...(host ? { host } : {}) };
  return {
    ...rest,
    ...(address ? { bind: formatBind(address) } : {}),
    ...(path === undefined ? {} : { path }),
    ...(mode === undefined ? {} : { mode: mode.toString(8).padStart(4, "0") }),
  };
}

function isRange(written: string): boolean {
  const [address = "", prefix, ...more] = written.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  if (prefix === undefined) return true;
  if (!/^\d{1,3}$/.test(prefix)) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 4 ? "ipv4" : "ipv6");
    return true;
  } catch {
    return false;
  }
}
