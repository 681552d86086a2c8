// Options of the built-in plugins that need nothing outside the broker.

import { listOf, mapOf } from "../description/collections.ts";
import { duration } from "../description/quantities.ts";
import { choice, count, flag, path, text } from "../description/scalars.ts";
import { type Field, type Section, section } from "../description/section.ts";

export interface AnonymousOptions {
  allow: boolean;
  namedUsers: "ignore" | "allow";
}
export interface PasswordFileOptions {
  file: string;
  /** Seconds. */
  rememberSeconds: number;
  /** Seconds. */
  reloadInterval: number;
}
/** User names (`anonymous` for none) with the topic filters they may use; an absent table allows everything. */
export interface AclOptions {
  subscribe?: Record<string, string[]>;
  publish?: Record<string, string[]>;
  receive?: Record<string, string[]>;
  file?: string;
  fileSubscriptions: "contained" | "overlapping";
  /** Seconds. */
  reloadInterval: number;
}
export interface GuardOptions {
  banAddressAfter: number;
  banUserAfter: number;
  windowSeconds: number;
  banSeconds: number;
  freeFailures: number;
  delayMs: number;
  maxDelayMs: number;
  maxWaiting: number;
}
export interface PacketLogOptions {
  pings: boolean;
}
export interface TabooOptions {
  topics: string[];
  exempt: string[];
}

const users = mapOf(
  listOf(text("a topic filter"), "a list of topic filters"),
  "a mapping of user names to topic filters",
);

export const reloadInterval: Field<number> = {
  doc: "Time between two looks whether the file has changed; `0s` never looks.",
  type: duration("s"),
  default: 2,
};

export const rememberSeconds: Field<number> = {
  key: "remember",
  doc: "How long from its last login a user with its right password is let in without computing the hash again; `0s` never.",
  type: duration("s"),
  default: 300,
};

export const anonymousOptions: Section<AnonymousOptions> = section<AnonymousOptions>(
  "Clients without a user name: in or out.",
  {
    allow: { doc: "Let clients without a user name in.", type: flag, default: true },
    namedUsers: {
      doc: "`ignore`: no opinion about clients with a user name. `allow`: let them in with no password asked, under the name they give (another plugin may still refuse them).",
      type: choice(["ignore", "allow"]),
      default: "ignore",
    },
  },
);

export const passwordFileOptions: Section<PasswordFileOptions> = section<PasswordFileOptions>(
  "User names and password hashes from a file.",
  {
    file: { doc: "Lines of `user:hash`; `#` starts a comment.", type: path(), required: true },
    rememberSeconds,
    reloadInterval,
  },
);

const aclTables: Section<AclOptions> = section<AclOptions>(
  "Which topics a user may use. The user `anonymous` stands for clients without a name.",
  {
    subscribe: { doc: "Filters that each user may subscribe to. Without it: all.", type: users },
    publish: { doc: "Filters of the topics that each user may publish to. Without it: all.", type: users },
    receive: { doc: "Filters of the topics that each user may be sent. Without it: all.", type: users },
    file: { doc: "Rules in Mosquitto's format, with `%u` and `%c`.", type: path() },
    fileSubscriptions: {
      doc: "When the file allows a subscription: when a rule contains all of it, or already when they overlap.",
      type: choice(["contained", "overlapping"]),
      default: "contained",
    },
    reloadInterval,
  },
);

/** Rules that allow everything are more likely forgotten than meant. */
export const aclOptions: Section<AclOptions> = {
  ...aclTables,
  read(node, problems) {
    const options = aclTables.read(node, problems);
    if (!options) return undefined;
    const { subscribe, publish, receive, file } = options;
    if ([subscribe, publish, receive, file].some((rules) => rules !== undefined)) return options;
    const expected = "subscribe, publish, receive or file";
    return problems.error(node.place, `expected at least one of ${expected}`, expected);
  },
};

export const packetLogOptions: Section<PacketLogOptions> = section<PacketLogOptions>("Every packet, at level debug.", {
  pings: { doc: "PINGREQ and PINGRESP too.", type: flag, default: true },
});

export const tabooOptions: Section<TabooOptions> = section<TabooOptions>("Topics that nobody may use (an example).", {
  topics: {
    doc: "Exact topics.",
    type: listOf(text("a topic"), "a list of topics"),
    default: ["prohibited", "top-secret", "data/classified"],
  },
  exempt: { doc: "Users who may.", type: listOf(text("a user name"), "a list of user names"), default: ["admin"] },
});

export const guardOptions: Section<GuardOptions> = section<GuardOptions>("Delays and bans for who guesses passwords.", {
  banAddressAfter: { doc: "Failures of an address that ban it; 0: never.", type: count, default: 20 },
  banUserAfter: {
    doc: "Failures of a user name that ban it; 0: never, as others could lock it out.",
    type: count,
    default: 0,
  },
  windowSeconds: {
    key: "window",
    doc: "In which failures are counted together.",
    type: duration("s", { positive: true }),
    default: 600,
  },
  banSeconds: { key: "ban", doc: "How long a ban lasts.", type: duration("s", { positive: true }), default: 900 },
  freeFailures: { doc: "Failures without a delay.", type: count, default: 3 },
  delayMs: {
    key: "delay",
    doc: "The first delay; each further failure doubles it.",
    type: duration("ms"),
    default: 250,
  },
  maxDelayMs: { key: "maximum_delay", doc: "The longest delay.", type: duration("ms"), default: 4_000 },
  maxWaiting: { doc: "Clients kept waiting at once; more are refused.", type: count, default: 1_000 },
});

export const noOptions: Section<Record<never, never>> = section<Record<never, never>>(
  "Every event, at level info or debug.",
  {},
);
