// Which topics a client may use: from lists in the options, from a file, or from both (then both must agree).
import { basename } from "node:path";
import { type ClientInfo, type Decision, definePlugin, isAllowed, type Plugin, PluginError } from "@wrenmq/plugin-api";
import { custom, list, number, type Option, oneOf, optional, options, record, text } from "@wrenmq/plugin-api/options";
import { isTopicFilter } from "@wrenmq/topics";
import { WatchedFile } from "@wrenmq/watched-file";
import { decideByFile, type SubscribeRule } from "./file-decision.ts";
import { parseAclFile } from "./mosquitto-file.ts";
import { type UserList, UserLists } from "./user-lists.ts";

/** User name → the topic filters that the user may use; the name `anonymous` stands for clients without one. */
export type AclLists = Readonly<Record<string, readonly string[]>>;

export interface AuthAclOptions {
  /** The same as `subscribeAcl`; only one of the two can be given. */
  readonly acl?: AclLists;
  readonly subscribeAcl?: AclLists;
  readonly publishAcl?: AclLists;
  readonly receiveAcl?: AclLists;
  /** A file in Mosquitto's aclfile format. */
  readonly file?: string;
  /**
   * When the file allows a subscription: when one rule contains the whole of it (default), or already when it overlaps
   * with one, as migrated Mosquitto clients may need that subscribe to `#`. Messages are filtered either way.
   */
  readonly subscribe?: SubscribeRule;
  /** Seconds between two looks whether the file has changed; 0 never looks. Default 2. */
  readonly reloadInterval?: number;
}

const filter: Option<string, string, true> = custom("a topic filter", (value) =>
  typeof value === "string" && isTopicFilter(value) && !value.startsWith("$share/") ? value : undefined,
);
const lists = optional(record(list(filter)));

const OPTIONS = options(
  {
    acl: lists,
    subscribeAcl: lists,
    publishAcl: lists,
    receiveAcl: lists,
    file: optional(text()),
    subscribe: oneOf(["contained", "overlapping"], { default: "contained" }),
    reloadInterval: number({ min: 0, default: 2 }),
  },
  (given) =>
    given.acl !== undefined && given.subscribeAcl !== undefined ? "give acl or subscribeAcl, not both" : undefined,
);

export const authAcl: (options: AuthAclOptions) => Plugin = definePlugin({
  name: "auth-acl",
  config: OPTIONS,
  async hooks({ config, context }) {
    const { acl, subscribeAcl, publishAcl, receiveAcl, file, subscribe, reloadInterval } = config;
    const byList = listsOf(
      { publish: publishAcl, subscribe: acl ?? subscribeAcl, receive: receiveAcl },
      acl === undefined,
    );
    if (byList === undefined && file === undefined) {
      throw new PluginError("ERR_PLUGIN_CONFIG", context.name, "give a list (acl, publishAcl, receiveAcl) or a file");
    }
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
        const listed = byList?.decide(username ?? "anonymous", action, topic);
        if (watched === undefined || (listed !== undefined && !isAllowed(listed))) return listed;
        return decideByFile(watched.value, { username, clientId: client.clientId }, action, topic, subscribe);
      },
    };
  },
});

/** A name that nobody checked is no name: otherwise anybody could claim the rights of any user. */
function userOf({ username, attributes }: ClientInfo): string | undefined {
  return username === "" || attributes["anonymous"] === true ? undefined : username;
}

function listsOf(
  given: { publish: UserList | undefined; subscribe: UserList | undefined; receive: UserList | undefined },
  longName: boolean,
): UserLists | undefined {
  if (Object.values(given).every((one) => one === undefined)) return undefined;
  return new UserLists(given, {
    publish: "publishAcl",
    subscribe: longName ? "subscribeAcl" : "acl",
    receive: "receiveAcl",
  });
}
