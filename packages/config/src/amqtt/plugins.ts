// Maps Python class names to plugins of WrenMQ. A class without a counterpart is refused by its name.
import { didYouMean } from "@wrenmq/plugin-api/options";
import type { Place } from "../diagnostic.ts";
import { below, entry, list, type MapEntry, map, type SourceNode, scalar } from "../source-node.ts";
import { addAcl, anonymousOptions } from "./access.ts";
import { addForeign, OWN } from "./foreign-plugin.ts";
import { addPlugin, type TranslatedPlugins } from "./translated-plugins.ts";
import { flagOf, type Keys, native, nativeMap, numberOf, readKeys, type Translation, valueIn } from "./translation.ts";

interface Counterpart {
  readonly module: string;
  readonly keys: readonly string[];
  readonly add: (options: Keys, place: Place, into: TranslatedPlugins, translation: Translation) => void;
}

/** A plugin whose options keep their names, except the given ones. */
function plain(
  module: string,
  name: string,
  use: string,
  keys: readonly string[],
  adapt?: (options: Keys, place: Place, translation: Translation) => Record<string, SourceNode | undefined>,
): Counterpart {
  return {
    module,
    keys,
    add: (options, place, into, translation) => {
      const same = Object.fromEntries(keys.map((key) => [key, valueIn(options, key)]));
      addPlugin(into, name, use, place, { ...same, ...adapt?.(options, place, translation) });
    },
  };
}

const auth = "amqtt.plugins.authentication";
const topics = "amqtt.plugins.topic_checking";
const on = (place: Place): SourceNode => native(true, place);
const off = (place: Place): SourceNode => native(false, place);
const usersOnly = (_: Keys, place: Place): Record<string, SourceNode> => ({ authenticate: on(place) });
const topicsOnly = (_: Keys, place: Place): Record<string, SourceNode> => ({
  authenticate: off(place),
  authorize: on(place),
});

const HTTP = [
  "host",
  "port",
  "request_method",
  "params_mode",
  "response_mode",
  "with_tls",
  "user_agent",
  "superuser_uri",
  "timeout",
  "user_uri",
  "topic_uri",
];
const JWT = ["secret_key", "user_claim", "publish_claim", "subscribe_claim", "receive_claim", "algorithm"];
const LDAP = [
  "server",
  "base_dn",
  "user_attribute",
  "bind_dn",
  "bind_password",
  "publish_attribute",
  "subscribe_attribute",
  "receive_attribute",
];
const SQL = ["connection", "sync_schema", "hash_schemes"];

const seconds = (options: Keys): Record<string, SourceNode | undefined> => {
  const timeout = valueIn(options, "timeout");
  return timeout?.kind === "scalar" ? { timeout: native(`${timeout.text}s`, timeout.place) } : {};
};
/** aMQTT ignores `algorithm` and uses HS256; here the written value counts. */
const algorithms = (options: Keys, place: Place): Record<string, SourceNode | undefined> => {
  const algorithm = valueIn(options, "algorithm") ?? native("HS256", place);
  return { algorithm: undefined, algorithms: list([algorithm], algorithm.place) };
};

const COUNTERPARTS: Readonly<Record<string, Counterpart>> = {
  AnonymousAuthPlugin: {
    module: auth,
    keys: ["allow_anonymous", "named_users"],
    add: (options, place, into, translation) =>
      addPlugin(into, "anonymous", "anonymous", place, anonymousOptions(options, place, translation)),
  },
  FileAuthPlugin: plain(auth, "password-file", "password-file", ["password_file"], (options, place, { problems }) => {
    const file = valueIn(options, "password_file");
    if (!file) problems.error(below(place, "password_file"), "missing: expected the path of a file");
    return { password_file: undefined, file: file ?? native("", place) };
  }),
  TopicTabooPlugin: plain(topics, "taboo", "taboo", []),
  TopicAccessControlListPlugin: {
    module: topics,
    keys: ["acl", "subscribe_acl", "publish_acl", "receive_acl"],
    add: (options, place, into, translation) => addAcl(options, place, into, translation),
  },
  BrokerSysPlugin: {
    module: "amqtt.plugins.sys.broker",
    keys: ["sys_interval"],
    add: (options, place, into, translation) => {
      into.sysInterval = { seconds: numberOf(options, "sys_interval", translation) ?? 20, place };
    },
  },
  EventLoggerPlugin: plain("amqtt.plugins.logging_amqtt", "event-log", "event-log", []),
  PacketLoggerPlugin: plain("amqtt.plugins.logging_amqtt", "packet-log", "packet-log", []),
  SQLitePlugin: {
    module: "amqtt.plugins.persistence",
    keys: ["persistence", "file"],
    add: (options, place, into, translation) => addStore(options, place, into, translation),
  },
  SessionDBPlugin: {
    module: "amqtt.contrib.persistence",
    keys: ["connection", "file", "clear_on_shutdown"],
    add: (options, place, into, translation) => addStore(options, place, into, translation),
  },
  UserAuthDBPlugin: plain("amqtt.contrib.auth_db", "sql-users", "sql", SQL, usersOnly),
  TopicAuthDBPlugin: plain("amqtt.contrib.auth_db", "sql-topics", "sql", SQL, topicsOnly),
  UserAuthHttpPlugin: plain("amqtt.contrib.http", "http-users", "http", HTTP, (options, place) => ({
    ...seconds(options),
    ...usersOnly(options, place),
  })),
  TopicAuthHttpPlugin: plain("amqtt.contrib.http", "http-topics", "http", HTTP, (options, place) => ({
    ...seconds(options),
    ...topicsOnly(options, place),
  })),
  UserAuthJwtPlugin: plain("amqtt.contrib.jwt", "jwt-users", "jwt", JWT, (options, place) => ({
    ...algorithms(options, place),
    ...usersOnly(options, place),
  })),
  TopicAuthJwtPlugin: plain("amqtt.contrib.jwt", "jwt-topics", "jwt", JWT, (options, place) => ({
    ...algorithms(options, place),
    ...topicsOnly(options, place),
  })),
  UserAuthLdapPlugin: plain("amqtt.contrib.ldap", "ldap-users", "ldap", LDAP, usersOnly),
  TopicAuthLdapPlugin: plain("amqtt.contrib.ldap", "ldap-topics", "ldap", LDAP, topicsOnly),
  UserAuthCertPlugin: plain("amqtt.contrib.cert", "x509", "x509", ["uri_domain"], (_, place) => ({
    identity: native("spiffe", place),
  })),
  CertificateAuthPlugin: plain("amqtt.contrib.cert", "x509", "x509", ["uri_domain"], (_, place) => ({
    identity: native("spiffe", place),
  })),
  ShadowPlugin: plain("amqtt.contrib.shadows", "shadows", "shadows", ["connection"]),
  ShadowTopicAuthPlugin: plain("amqtt.contrib.shadows", "shadow-topics", "shadows", ["superusers"], (_, place) => ({
    serve: off(place),
    authorize: on(place),
  })),
};

/** Translates one entry of aMQTT's `plugins`. */
export function translatePlugin(item: MapEntry, into: TranslatedPlugins, translation: Translation): void {
  const { problems } = translation;
  if (/^(\.{0,2}\/|@)/.test(item.key)) {
    const options = item.value.kind === "map" ? item.value.entries : [];
    into.plugins.push(entry(item.key, map([entry("use", scalar(item.key, item.place)), ...options], item.place)));
    return;
  }
  const className = item.key.split(".").at(-1) ?? "";
  const known = Object.hasOwn(COUNTERPARTS, className) ? COUNTERPARTS[className] : undefined;
  if (!known || !/^amqtt\.(plugins?|contrib)\./.test(item.key)) {
    if (!addForeign(item, item.value, into, translation)) {
      problems.error(item.place, refusal(item.key, className), "a plugin that WrenMQ has, or ./plugin.js of your own");
    }
    return;
  }
  // Sub-modules (…contrib.http.plugin.X) are accepted; another package is a misprint.
  if (!item.key.startsWith(`${known.module}.`)) {
    problems.warn(item.place, `read as ${known.module}.${className}`);
  }
  const before = into.plugins.length;
  known.add(readKeys(item.value, known.keys, translation), item.place, into, translation);
  const added = into.plugins.slice(before).map((each) => `plugins.${each.key}`);
  const became = added[0] ?? (className === "BrokerSysPlugin" ? "sys" : "store");
  translation.notes.push(`${item.key} → ${became}`);
}

function refusal(name: string, className: string): string {
  if (/django/i.test(name)) {
    return `the Python plugin ${name} needs Django and has no counterpart (the plugin "token" keeps revocable tokens)${OWN}`;
  }
  if (!name.includes(".")) {
    return `expected the dotted name of a Python class, got "${name}" (are options indented below their plugin?)`;
  }
  const hint = didYouMean(className, Object.keys(COUNTERPARTS));
  return `the Python plugin ${name} has no counterpart in WrenMQ${hint}${OWN}`;
}

/** Sessions in a database become sessions in WrenMQ's own store. */
function addStore(options: Keys, place: Place, into: TranslatedPlugins, translation: Translation): void {
  const { problems } = translation;
  const connection = valueIn(options, "connection") ?? valueIn(options, "file");
  const written = connection?.kind === "scalar" ? connection.text : "amqtt.db";
  const url = /^([a-z0-9+]+):\/\/\/?(.*)$/i.exec(written);
  if (url && !/^sqlite/i.test(url[1] ?? "")) {
    problems.error(
      connection?.place ?? place,
      "sessions cannot be kept in a database server; WrenMQ keeps them in a folder (store: path: …)",
    );
    return;
  }
  const folder = `${(url ? url[2] : written) || "amqtt.db"}.wrenmq`;
  const clears = flagOf(options, "clear_on_shutdown", true, translation);
  const until = clears ? ", until the broker is shut down (clear_on_shutdown: false keeps them)" : "";
  problems.warn(place, `sessions are kept in WrenMQ's own store, ${folder}${until}; the old database is not read`);
  const at = connection?.place ?? place;
  const kept = { path: native(folder, at), durability: native("batch", at) };
  const clearing = native(true, options.get("clear_on_shutdown")?.place ?? place);
  into.store = nativeMap(place, clears ? { ...kept, clear_on_shutdown: clearing } : kept);
}
