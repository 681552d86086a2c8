// Replaces `%u` and `%c` in a filter with the client's user name and client identifier. Whatever these are, the filter
// never grants more, and never denies less, than for an ordinary name.
import type { Rule } from "./rule.ts";

export interface ClientNames {
  /** undefined: the client has none */
  readonly username: string | undefined;
  readonly clientId: string;
}

export function isPattern(filter: string): boolean {
  return filter.includes("%u") || filter.includes("%c");
}

/** The rule for a client, if it allows; undefined when it does not apply to this client. */
export function grantFor(rule: Rule, names: ClientNames): Rule | undefined {
  if (!isPattern(rule.filter)) return rule;
  const values = valuesIn(rule.filter, names);
  if (values.some((value) => value === undefined || !isOrdinary(value))) return undefined;
  const filter = substitute(rule.filter, names);
  // "%u/#" for a user "$SYS" would allow what no wildcard allows.
  if (filter.startsWith("$") && !rule.filter.startsWith("$")) return undefined;
  return { filter, name: rule.name };
}

/**
 * The rule for a client, if it denies; where a name is not valid in a level, everything from that level on is denied.
 */
export function denialFor(rule: Rule, names: ClientNames): Rule | undefined {
  if (!isPattern(rule.filter)) return rule;
  const values = valuesIn(rule.filter, names);
  if (values.includes(undefined)) return undefined; // "%u" does not apply to clients without a user name
  if (values.every((value) => value !== undefined && isOrdinary(value))) {
    return { filter: substitute(rule.filter, names), name: rule.name };
  }
  const levels = rule.filter.split("/");
  const first = levels.findIndex(isPattern);
  return { filter: [...levels.slice(0, first), "#"].join("/"), name: rule.name };
}

function valuesIn(filter: string, { username, clientId }: ClientNames): (string | undefined)[] {
  const values: (string | undefined)[] = [];
  if (filter.includes("%u")) values.push(username);
  if (filter.includes("%c")) values.push(clientId);
  return values;
}

function substitute(filter: string, { username, clientId }: ClientNames): string {
  return filter.replace(/%[uc]/g, (variable) => (variable === "%u" ? (username ?? "") : clientId));
}

function isOrdinary(value: string): boolean {
  return value !== "" && !/[+#/\0]/.test(value);
}
