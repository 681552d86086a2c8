// Checks the options of listeners: a table for each type of `ListenerConfig`, which its type checks for completeness.
// Files and addresses are checked by the transport when it listens.
import { LIMITS, type Limit } from "@wrenmq/limits";
import {
  boolean,
  didYouMean,
  isMapping,
  list,
  type Option,
  oneOf,
  options,
  string,
  text,
} from "@wrenmq/plugin-api/options";
import type {
  CommonListenerConfig,
  IpListenerConfig,
  PlainListenerConfig,
  ProxyProtocolConfig,
  TcpListenerConfig,
  TlsCertificate,
  TlsConfig,
  TlsListenerConfig,
  UnixListenerConfig,
  WebSocketConfig,
  WsListenerConfig,
  WssListenerConfig,
} from "@wrenmq/transport";
import type { BrokerLimits } from "../limits/limits.ts";
import type { ListenerOptions } from "../listeners/listener-options.ts";
import {
  EXACT,
  type FieldsOf,
  given,
  type KeysOf,
  limitField,
  maybe,
  numberOf,
  orList,
  wholeNumber,
} from "./fields.ts";

const MOST = Number.MAX_SAFE_INTEGER;
const timeAbove0 = numberOf("a number of milliseconds", { min: Number.MIN_VALUE });
const time = numberOf("a number of milliseconds");
const pem = given(
  "PEM text, its bytes, or the path of a file",
  (value) => (typeof value === "string" && value !== "") || value instanceof Uint8Array,
);
/** The text of a key or a passphrase, which is never printed. */
const secretText: Option<unknown, unknown> = {
  needed: true,
  expected: "a text",
  read(value, path, issues) {
    if (typeof value !== "string")
      issues.push({ message: `expected a text, got another type (${typeof value})`, path });
    return value;
  },
};
const addresses = list(text(), "a list of addresses");

const limitsOfListener = Object.fromEntries(
  (Object.entries(LIMITS) as [string, Limit<unknown>][])
    .filter(([, limit]) => limit.ofBroker !== true)
    .map(([name, limit]) => [name, maybe(limitField(limit))]),
);

/** Options that can be changed while the listener runs: see `updateListener`. */
export const CHANGING: FieldsOf<Pick<ListenerOptions, "maxConnections" | "plugins" | "limits">> = {
  maxConnections: maybe(wholeNumber(MOST, "no limit")),
  plugins: maybe(list(text(), "a list of names of plugins")),
  limits: maybe(
    options(limitsOfListener, {
      exact: true,
      foreign: (key) =>
        Object.hasOwn(LIMITS, key) ? "the whole broker has this limit: it belongs to its own `limits`" : undefined,
    }),
  ),
};

const proxyProtocol = options(
  {
    trusted: addresses,
    timeout: maybe(timeAbove0),
  } satisfies FieldsOf<ProxyProtocolConfig>,
  EXACT,
);
const certificate = options(
  {
    cert: pem,
    key: pem,
    passphrase: maybe(secretText),
    servernames: maybe(list(text(), "a list of names")),
  } satisfies FieldsOf<TlsCertificate>,
  EXACT,
);
const versions = ["TLSv1.2", "TLSv1.3"] as const;
const tls = options(
  {
    certificates: {
      ...list(certificate),
      read(value, path, issues) {
        if (Array.isArray(value) && value.length > 0) return list(certificate).read(value, path, issues);
        return given("a list of one or more { cert, key }", () => false).read(value, path, issues);
      },
    },
    ca: maybe(orList(pem, pem.expected)),
    caPath: maybe(text()),
    crl: maybe(orList(pem, pem.expected)),
    requestCertificate: maybe(boolean()),
    requireCertificate: maybe(boolean()),
    minVersion: maybe(oneOf(versions)),
    maxVersion: maybe(oneOf(versions)),
    ciphers: maybe(text()),
    alpn: maybe(list(text())),
    handshakeTimeout: maybe(timeAbove0),
    sessionLifetime: maybe(time),
    sessionKeyFile: maybe(text()),
    watchInterval: maybe(time),
  } satisfies FieldsOf<TlsConfig>,
  EXACT,
);
const websocket = options(
  {
    path: maybe(orList(text(), "a path, or a list of paths")),
    origins: maybe(list(text(), "a list of origins")),
    maxPayload: maybe(numberOf("a whole number of bytes", { min: 1, max: MOST, whole: true })),
    trustedProxies: maybe(addresses),
    handshakeTimeout: maybe(timeAbove0),
  } satisfies FieldsOf<WebSocketConfig>,
  EXACT,
);

const COMMON: FieldsOf<CommonListenerConfig> = {
  backlog: maybe(numberOf("a whole number", { min: 1, max: 0x7fff_ffff, whole: true })),
  lingerTimeout: maybe(time),
  proxyProtocol: maybe(proxyProtocol),
};
const IP: FieldsOf<IpListenerConfig> = {
  ...COMMON,
  port: wholeNumber(65_535, "any free port"),
  host: maybe(string()),
  ipv6Only: maybe(boolean()),
  tcpKeepAliveDelay: maybe(timeAbove0),
};
const PLAIN: FieldsOf<PlainListenerConfig> = { rawTcp: maybe(boolean()) };

type Type = ListenerOptions["type"];
const type = given("a type", () => true);
const TCP: FieldsOf<TcpListenerConfig> = { type, ...IP, ...PLAIN };
const TLS: FieldsOf<TlsListenerConfig> = { type, ...IP, ...PLAIN, tls };
const WS: FieldsOf<WsListenerConfig> = { type, ...IP, ...PLAIN, websocket: maybe(websocket) };
const WSS: FieldsOf<WssListenerConfig> = { type, ...IP, tls, websocket: maybe(websocket) };
const UNIX: FieldsOf<UnixListenerConfig> = {
  type,
  ...COMMON,
  ...PLAIN,
  path: text(),
  mode: maybe(wholeNumber(0o777)),
};
const TABLES: Readonly<Record<Type, Readonly<Record<string, Option<unknown, unknown>>>>> = {
  tcp: TCP,
  tls: TLS,
  ws: WS,
  wss: WSS,
  unix: UNIX,
  external: { type },
};
const TYPES = Object.keys(TABLES) as Type[];

/** Names that aMQTT and configuration files use for an option. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  bind: 'an address is `host` and `port` here: { host: "127.0.0.1", port: 1883 }',
  address: 'an address is `host` and `port` here: { host: "127.0.0.1", port: 1883 }',
  ssl: 'a listener with TLS has `type: "tls"` (or "wss") and `tls`',
  certfile: "certificates are `tls: { certificates: [{ cert, key }] }` here",
  keyfile: "certificates are `tls: { certificates: [{ cert, key }] }` here",
  cafile: "the authority of clients' certificates is `tls: { ca }` here",
  access: "the plugins that decide here are `plugins: [names]`",
} satisfies Partial<Record<Exclude<string, KeysOf<ListenerOptions>>, string>>;

function foreign(key: string, own: Type): string | undefined {
  const said = Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined;
  if (said !== undefined) return `unknown option: ${said}`;
  const others = TYPES.filter((one) => Object.hasOwn(TABLES[one], key)).map((one) => `"${one}"`);
  if (others.length === 0) return undefined;
  return `only for listeners of type ${others.join(", ")}; this one is of type "${own}"`;
}

const SCHEMAS = Object.fromEntries(
  TYPES.map((own) => [
    own,
    options({ ...TABLES[own], ...CHANGING }, { exact: true, foreign: (key) => foreign(key, own) }),
  ]),
);

/** A listener of any type. */
export const LISTENER: Option<unknown, unknown, true> = {
  needed: true,
  expected: "the options of a listener",
  read(value, path, issues) {
    if (!isMapping(value))
      return given("a mapping such as { type, host, port }", () => false).read(value, path, issues);
    const named = value["type"];
    const schema = typeof named === "string" && Object.hasOwn(SCHEMAS, named) ? SCHEMAS[named] : undefined;
    if (schema !== undefined) return schema.read(value, path, issues);
    const expected = `expected one of ${TYPES.map((one) => `"${one}"`).join(", ")}`;
    const got = typeof named === "string" ? `got "${named}"${didYouMean(named, TYPES)}` : `got ${String(named)}`;
    issues.push({
      message: named === undefined ? `is missing; ${expected}` : `${expected}, ${got}`,
      path: [...path, "type"],
    });
    return value;
  },
};

/** The limits that a listener may override. */
export type ListenerLimits = Partial<BrokerLimits>;
