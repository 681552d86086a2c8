// Mosquitto's aclfile format:
//
//   topic [read|write|readwrite|deny] <filter>     for the user of the last `user` line; before any: clients without one
//   user <name>
//   pattern [read|write|readwrite|deny] <filter>   for every client, with %u and %c replaced
//
// `deny` counts wherever it stands: unlike Mosquitto, where what a user is granted beats a pattern that denies.
import { isShared, isTopicFilter } from "@wrenmq/topics";
import type { Rule } from "./rule.ts";

export interface AccessRules {
  readonly read: Rule[];
  readonly write: Rule[];
  readonly deny: Rule[];
}

export interface AclFile {
  /** Rules before the first `user` line: for clients without a user name. */
  readonly anonymous: AccessRules;
  readonly users: ReadonlyMap<string, AccessRules>;
  readonly patterns: AccessRules;
}

type Access = "read" | "write" | "readwrite" | "deny";
const ACCESS: readonly string[] = ["read", "write", "readwrite", "deny"] satisfies Access[];

/** @throws Error at the first invalid line, with its number: an incomplete access list must not be used */
export function parseAclFile(text: string, fileName: string): AclFile {
  const users = new Map<string, AccessRules>();
  const anonymous = noRules();
  const patterns = noRules();
  let current = anonymous;
  for (const [index, raw] of text.split("\n").entries()) {
    const content = raw.trim();
    if (content === "" || content.startsWith("#")) continue;
    const name = `${fileName}:${index + 1}`;
    const [, keyword = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(content) ?? [];
    switch (keyword) {
      case "user": {
        if (rest === "") throw new Error(`line ${index + 1}: expected a user name after "user"`);
        current = users.get(rest) ?? noRules();
        users.set(rest, current);
        break;
      }
      case "topic":
        add(current, rest, { name, line: index + 1, pattern: false });
        break;
      case "pattern":
        add(patterns, rest, { name, line: index + 1, pattern: true });
        break;
      default:
        throw new Error(
          `line ${index + 1}: expected "topic", "user" or "pattern", got ${/^[\w-]{1,20}$/.test(keyword) ? `"${keyword}"` : "something else"}`,
        );
    }
  }
  return { anonymous, users, patterns };
}

interface Place {
  readonly name: string;
  readonly line: number;
  readonly pattern: boolean;
}

function add(rules: AccessRules, rest: string, { name, line, pattern }: Place): void {
  const [, word = "", remainder = ""] = /^(\S+)\s+(.+)$/.exec(rest) ?? [];
  const hasAccess = ACCESS.includes(word);
  const access = (hasAccess ? word : "readwrite") as Access;
  const filter = hasAccess ? remainder : rest;
  const tried = pattern ? filter.replace(/%[uc]/g, "x") : filter;
  if (!isTopicFilter(tried) || isShared(tried)) {
    throw new Error(`line ${line}: "${shorten(filter)}" is no topic filter`);
  }
  const rule: Rule = { filter, name };
  if (access === "deny") rules.deny.push(rule);
  if (access === "read" || access === "readwrite") rules.read.push(rule);
  if (access === "write" || access === "readwrite") rules.write.push(rule);
}

/** The file may be of another kind, with one long line. */
const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

function noRules(): AccessRules {
  return { read: [], write: [], deny: [] };
}
