// The names of the configuration → the packages of the plugins. Only those that are used are loaded.
import type { BuiltInPlugin } from "@wrenmq/config";
import type { Plugin } from "@wrenmq/plugin-api";

/** The configuration's reader has checked the options; each plugin checks its own again. */
export type MakePlugin = (options: never) => Plugin;

export const BUILT_IN_PLUGINS: Readonly<Partial<Record<BuiltInPlugin, () => Promise<MakePlugin>>>> = {
  anonymous: async () => (await import("@wrenmq/auth-anonymous")).authAnonymous,
  "password-file": async () => (await import("@wrenmq/auth-password")).authPassword,
  acl: async () => (await import("@wrenmq/auth-acl")).authAcl,
  taboo: async () => (await import("@wrenmq/auth-taboo")).authTaboo,
  "event-log": async () => (await import("@wrenmq/plugin-logging")).eventLog,
  "packet-log": async () => (await import("@wrenmq/plugin-logging")).packetLog,
};
