// The packages of the built-in plugins, by their names in the configuration. Only those that are used are loaded.
import type { BuiltInPlugin } from "@wrenmq/config";
import type { Plugin } from "@wrenmq/plugin-api";

/** The options were checked with the configuration; each plugin checks them again. */
export type MakePlugin = (options: never) => Plugin;

export const BUILT_IN_PLUGINS: Readonly<Record<BuiltInPlugin, () => Promise<MakePlugin>>> = {
  anonymous: async () => (await import("@wrenmq/auth-anonymous")).authAnonymous,
  "password-file": async () => (await import("@wrenmq/auth-password")).authPassword,
  acl: async () => (await import("@wrenmq/auth-acl")).authAcl,
  taboo: async () => (await import("@wrenmq/auth-taboo")).authTaboo,
  jwt: async () => (await import("@wrenmq/auth-jwt")).authJwt,
  http: async () => (await import("@wrenmq/auth-http")).authHttp,
  ldap: async () => (await import("@wrenmq/auth-ldap")).authLdap,
  sql: async () => (await import("@wrenmq/auth-sql")).authSql,
  x509: async () => (await import("@wrenmq/auth-x509")).authX509,
  scram: async () => (await import("@wrenmq/auth-scram")).authScram,
  token: async () => (await import("@wrenmq/auth-token")).authToken,
  shadows: async () => (await import("@wrenmq/plugin-shadows")).pluginShadows,
  guard: async () => (await import("@wrenmq/auth-guard")).authGuard,
  "event-log": async () => (await import("@wrenmq/plugin-logging")).eventLog,
  "packet-log": async () => (await import("@wrenmq/plugin-logging")).packetLog,
};
