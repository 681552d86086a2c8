// The options of this plugin. The keys of configuration files, the JSON Schema and the tables of the documentation are made from
// them.
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

/** The topic filters that each user may use; `anonymous` stands for clients without a user name. */
export type AclLists = Readonly<Record<string, readonly string[]>>;

export interface AuthAclOptions {
  /** Filters that each user may subscribe to. Default: everybody may subscribe to every filter. */
  readonly subscribe?: AclLists;
  /** Filters of the topics that each user may publish to. Default: everybody may publish to every topic. */
  readonly publish?: AclLists;
  /** Filters of the topics that each user may receive. Default: everybody may receive every topic. */
  readonly receive?: AclLists;
  /** Path of a file in Mosquitto's aclfile format. Default: none. */
  readonly file?: string;
  /**
   * When the file allows a subscription: `contained`: one rule contains all of it; `overlapping`: it has a topic in
   * common with a rule, as some clients that migrate from Mosquitto need when they subscribe to `#`. Messages are
   * filtered in both cases. Default contained.
   */
  readonly fileSubscriptions?: SubscribeRule;
  /** Seconds between two checks whether the file has changed; 0 never checks. Default 2. */
  readonly reloadIntervalSeconds?: number;
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
  readonly reloadIntervalSeconds: number;
}

export const OPTIONS: SchemaOf<AclSettings> = options(
  {
    subscribe: about("Filters that each user may subscribe to. Without it: all.", users),
    publish: about("Filters of the topics that each user may publish to. Without it: all.", users),
    receive: about("Filters of the topics that each user may receive. Without it: all.", users),
    file: about("Rules in Mosquitto's format, with `%u` and `%c`.", optional(filePath())),
    fileSubscriptions: about(
      "When the file allows a subscription: when a rule contains all of it, or already when they overlap.",
      oneOf(["contained", "overlapping"], { default: "contained" }),
    ),
    reloadIntervalSeconds: about(
      "Time between two checks whether the file has changed; `0s` never checks.",
      seconds({ default: 2 }),
    ),
  },
  {
    doc: "Which topics a user may use. The user `anonymous` stands for clients without a name.",
    // Options that allow everything are more likely forgotten than intended.
    check: ({ subscribe, publish, receive, file }) =>
      [subscribe, publish, receive, file].every((one) => one === undefined)
        ? "expected at least one of subscribe, publish, receive or file"
        : undefined,
  },
);
