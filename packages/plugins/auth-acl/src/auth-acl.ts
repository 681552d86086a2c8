// Which topics a client may use: from lists in the options, from a file, or from both (then both must agree).
import { basename } from "node:path";
import { type ClientInfo, type Decision, definePlugin, isAllowed, type Plugin } from "@wrenmq/plugin-api";
import { custom, list, number, type Option, oneOf, optional, options, record, text } from "@wrenmq/plugin-api/options";
import { isShared, isTopicFilter } from "@wrenmq/topics";
import { WatchedFile } from "@wrenmq/watched-file";
import { decideByFile, type SubscribeRule } from "./file-decision.ts";
import { parseAclFile } from "./mosquitto-file.ts";
import { UserLists } from "./user-lists.ts";

/** User name → the topic filters that the user may use; the name `anonymous` stands for clients without one. */
export type AclLists = Readonly<Record<string, readonly string[]>>;

export interface AuthAclOptions {
  /** Without a list for an action everybody may do it. */
  readonly subscribe?: AclLists;
  readonly publish?: AclLists;
  readonly receive?: AclLists;
  /** A file in Mosquitto's aclfile format. */
  readonly file?: string;
  /**
   * When the file allows a subscription: when one rule contains the whole of it (default), or already when it overlaps
   * with one, as migrated Mosquitto clients may need that subscribe to `#`. Messages are filtered either way.
   */
  readonly fileSubscriptions?: SubscribeRule;
  /** Seconds between two looks whether the file has changed; 0 never looks. Default 2. */
  readonly reloadInterval?: number;
}

const filter: Option<string, string, true> = custom("a topic filter", (value) =>
  typeof value === "string" && isTopicFilter(value) && !isShared(value) ? value : undefined,
);
const lists = optional(record(list(filter)));

const OPTIONS = options(
  {
    subscribe: lists,
    publish: lists,
    receive: lists,
    file: optional(text()),
    fileSubscriptions: oneOf(["contained", "overlapping"], { default: "contained" }),
    reloadInterval: number({ min: 0, default: 2 }),
  },
  ({ subscribe, publish, receive, file }) =>
    [subscribe, publish, receive, file].every((one) => one === undefined)
      ? "give a list (subscribe, publish, receive) or a file"
      : undefined,
);

export const authAcl: (options: AuthAclOptions) => Plugin = definePlugin({
  name: "auth-acl",
  config: OPTIONS,
  async hooks({ config, context }) {
    const { subscribe, publish, receive, file, fileSubscriptions, reloadInterval } = config;
    const listed = subscribe ?? publish ?? receive;
    const lists = listed === undefined ? undefined : new UserLists({ subscribe, publish, receive });
    const watched =
      file === undefined
        ? undefined
        : await WatchedFile.open({
            file,
            parse: (content) => parseAclFile(content, basename(file)),
            context,
            interval: reloadInterval * 1000,
            changed: () => context.rulesChanged(),
          });
    return {
      authorize(client, action, topic): Decision {
        const username = userOf(client);
        const byList = lists?.decide(username ?? "anonymous", action, topic);
        if (watched === undefined || (byList !== undefined && !isAllowed(byList))) return byList;
        return decideByFile(watched.value, { username, clientId: client.clientId }, action, topic, fileSubscriptions);
      },
    };
  },
});

/** A name that nobody checked is no name: otherwise anybody could claim the rights of any user. */
function userOf({ username, attributes }: ClientInfo): string | undefined {
  return username === "" || attributes["anonymous"] === true ? undefined : username;
}
