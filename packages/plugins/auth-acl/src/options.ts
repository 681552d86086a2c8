// The options of this plugin: the one place that knows them. The configuration file's keys, the JSON Schema and the tables
// of the documentation are made from it.
import {
  about,
  custom,
  filePath,
  list,
  type Option,
  oneOf,
  optional,
  options,
  record,
  type SchemaOf,
  seconds,
} from "@wrenmq/plugin-api/options";
import { isShared, isTopicFilter } from "@wrenmq/topics";
import type { SubscribeRule } from "./file-decision.ts";
import type { UserList } from "./user-lists.ts";

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
const users = optional(record(list(filter, "a list of topic filters"), "a mapping of user names to topic filters"));

export interface AclSettings {
  readonly subscribe: UserList | undefined;
  readonly publish: UserList | undefined;
  readonly receive: UserList | undefined;
  readonly file: string | undefined;
  readonly fileSubscriptions: SubscribeRule;
  readonly reloadInterval: number;
}

export const OPTIONS: SchemaOf<AclSettings> = options(
  {
    subscribe: about("Filters that each user may subscribe to. Without it: all.", users),
    publish: about("Filters of the topics that each user may publish to. Without it: all.", users),
    receive: about("Filters of the topics that each user may be sent. Without it: all.", users),
    file: about("Rules in Mosquitto's format, with `%u` and `%c`.", optional(filePath())),
    fileSubscriptions: about(
      "When the file allows a subscription: when a rule contains all of it, or already when they overlap.",
      oneOf(["contained", "overlapping"], { default: "contained" }),
    ),
    reloadInterval: about(
      "Time between two looks whether the file has changed; `0s` never looks.",
      seconds({ default: 2 }),
    ),
  },
  {
    doc: "Which topics a user may use. The user `anonymous` stands for clients without a name.",
    // Rules that allow everything are more likely forgotten than meant.
    check: ({ subscribe, publish, receive, file }) =>
      [subscribe, publish, receive, file].every((one) => one === undefined)
        ? "expected at least one of subscribe, publish, receive or file"
        : undefined,
  },
);
