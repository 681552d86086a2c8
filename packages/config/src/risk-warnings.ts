// Warnings about valid configurations that may not do what was intended.
import { BlockList, isIP } from "node:net";
import { type Diagnostic, diagnosticAt, type Place } from "./diagnostic.ts";
import type { AdminSection, Limits, ListenerSection, PluginSection, WrenConfig } from "./wren-config.ts";

/** Plugins to which clients send a secret as the MQTT password. */
const WANTS_PASSWORD = new Set(["password-file", "jwt", "http", "ldap", "sql", "token"]);

/** One warning for each risky combination. `locate` (of the parse result) adds lines. */
export function riskWarnings(config: WrenConfig, locate?: (path: readonly string[]) => Place): Diagnostic[] {
  const found: Diagnostic[] = [];
  const warn = (key: readonly string[], message: string): void => {
    found.push(diagnosticAt(locate?.(key) ?? { key: key.join(".") }, message));
  };
  for (const listener of config.listeners) {
    const messages = listenerRisks(listener, deciders(listener, config.plugins));
    for (const message of messages) warn(["listeners", listener.name], message);
  }
  for (const plugin of config.plugins) {
    for (const message of pluginRisks(plugin)) warn(["plugins", plugin.name], message);
  }
  for (const message of adminRisks(config.admin)) warn(["admin", "insecure"], message);
  for (const [key, message] of limitRisks(config.limits)) warn(["limits", key], message);
  return found;
}

function* adminRisks({ bind, tls, tokensFile, insecure }: AdminSection): Generator<string> {
  if (bind === undefined || !insecure) return;
  const where = isReachable(bind.host) ? "from other machines" : "on this machine";
  if (tokensFile === undefined) yield `whoever can reach the admin API ${where} may do everything (tokens_file)`;
  if (tls === undefined && isReachable(bind.host)) yield "tokens of the admin API travel unencrypted (tls)";
}

const deciders = ({ access }: ListenerSection, plugins: readonly PluginSection[]): PluginSection[] =>
  plugins.filter((plugin) => access === "inherit" || access.includes(plugin.name));

function* listenerRisks(listener: ListenerSection, plugins: readonly PluginSection[]): Generator<string> {
  const { type, tls, host, mode, origins, trustedProxies, limits } = listener;
  if (type === "external") return;
  const secure = type === "tls" || type === "wss" || type === "unix";
  const reachable = type === "unix" ? (mode ?? 0) % 8 !== 0 : isReachable(host);
  const where = host ?? (type === "unix" ? "a socket for everybody" : "all addresses");
  const anonymous = plugins.find((plugin) => plugin.use === "anonymous" && plugin.options["allow"] === true);
  const named = plugins.find((plugin) => plugin.use === "anonymous" && plugin.options["namedUsers"] === "allow");
  const checksNames = plugins.some(
    ({ use, options }) => use === "password-file" || (WANTS_PASSWORD.has(use) && options["authenticate"] !== false),
  );
  // Without a certificate of the configured authority no client gets that far.
  const needsCertificate = tls?.requireCertificate === true;
  if (anonymous && reachable && !needsCertificate) yield `anonymous clients may connect from other machines (${where})`;
  if (anonymous && (type === "ws" || type === "wss") && !needsCertificate && origins.length === 0) {
    yield "anonymous clients and no origins: any web page that a user of this network opens may connect";
  }
  if (named && !checksNames && plugins.some((plugin) => plugin.use === "acl" || plugin.use === "taboo")) {
    yield `${named.name} lets clients choose a user name without a password, and topic rules go by the user name`;
  }
  if (!secure && reachable && plugins.some((plugin) => WANTS_PASSWORD.has(plugin.use))) {
    yield `passwords travel unencrypted from other machines (${where}); use type ${type === "ws" ? "wss" : "tls"}`;
  }
  const certificates = plugins.some((plugin) => plugin.use === "x509") || (tls && tls.userNameFrom !== "none");
  const authorities = tls && (tls.caFile ?? tls.caPath ?? tls.caData);
  if (tls && certificates && !tls.requireCertificate) {
    yield tls.requestCertificate
      ? "client certificates identify users but are not required"
      : "client certificates identify users but are not asked for";
  }
  if (tls && (tls.requireCertificate || tls.requestCertificate) && !authorities) {
    yield "client certificates are verified, but no authority is given (ca_file): any that the system trusts will do";
  }
  if (trustedProxies.some((range) => range.endsWith("/0"))) {
    yield "trusted_proxies holds every address: clients can claim any address as theirs";
  }
  for (const [, message] of limitRisks(limits)) yield message;
}

function* pluginRisks({ use, options }: PluginSection): Generator<string> {
  const host = options["host"];
  if (use === "http" && options["withTls"] !== true && typeof host === "string" && isReachable(host)) {
    yield `user names and passwords travel unencrypted to ${host} (with_tls)`;
  }
  const server = options["server"];
  if (use === "ldap" && typeof server === "string" && server.startsWith("ldap://")) {
    const name = URL.canParse(server) ? new URL(server).hostname : "";
    if (isReachable(name)) yield `passwords travel unencrypted to ${name} (ldaps://)`;
  }
}

function* limitRisks(limits: Partial<Limits>): Generator<readonly [string, string]> {
  if (limits.maxQueuedMessages === 0 && limits.maxQueuedBytes === 0) {
    yield [
      "max_queued_bytes",
      "neither messages nor bytes of a queue are bounded: one absent client can fill the memory",
    ];
  }
  if (limits.maxRetainedMessages === 0 && limits.maxRetainedBytes === 0) {
    yield [
      "max_retained_bytes",
      "neither number nor bytes of retained messages are bounded: clients can fill the memory",
    ];
  }
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Can other machines reach this address? An unknown host name counts as reachable. */
export function isReachable(host: string | undefined): boolean {
  if (host === undefined) return true;
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(bare);
  if (family === 0) return bare !== "localhost" && !bare.endsWith(".localhost");
  return !loopback.check(bare, family === 4 ? "ipv4" : "ipv6");
}
