// Decides about a request by an access list in Mosquitto's format:
//
//   publish     some `write` rule matches the topic
//   receive     some `read` rule matches the topic
//   subscribe   "contained": one `read` rule contains the whole filter; "overlapping": it has a topic in common with one,
//               and `receive` keeps the others back (Mosquitto's way, where every subscription is granted)
//
// and no `deny` rule matches (for subscribe: contains the whole filter; `receive` keeps back the rest).
import { type Action, ReasonCode, type Verdict } from "@wrenmq/plugin-api";
import { covers, plainFilter } from "@wrenmq/plugin-api/grants";
import type { AccessRules, AclFile } from "./mosquitto-file.ts";
import { type ClientNames, denialFor, grantFor } from "./pattern.ts";
import { type Rule, touches } from "./rule.ts";

export type SubscribeRule = "contained" | "overlapping";

const NOBODY: AccessRules = { read: [], write: [], deny: [] };

export function decideByFile(
  file: AclFile,
  names: ClientNames,
  action: Action,
  requested: string,
  subscribe: SubscribeRule,
): Verdict {
  const topic = plainFilter(action, requested);
  if (topic === undefined) return { reasonCode: ReasonCode.NotAuthorized, rule: "not a valid shared subscription" };
  const own = names.username === undefined ? file.anonymous : (file.users.get(names.username) ?? NOBODY);

  const denied =
    own.deny.find((rule) => covers(rule.filter, action, topic)) ??
    find(file.patterns.deny, names, denialFor, (rule) => covers(rule.filter, action, topic));
  if (denied !== undefined) return { reasonCode: ReasonCode.NotAuthorized, rule: denied.name };

  const kind = action === "publish" ? "write" : "read";
  const overlap = action === "subscribe" && subscribe === "overlapping";
  const enough = (rule: Rule) => (overlap ? touches(rule, action, topic) : covers(rule.filter, action, topic));
  const granted = own[kind].find(enough) ?? find(file.patterns[kind], names, grantFor, enough);
  if (granted !== undefined) return { reasonCode: ReasonCode.Success, rule: granted.name };
  return { reasonCode: ReasonCode.NotAuthorized, rule: `no ${kind} rule covers it` };
}

function find(
  rules: readonly Rule[],
  names: ClientNames,
  instantiate: (rule: Rule, names: ClientNames) => Rule | undefined,
  fits: (rule: Rule) => boolean,
): Rule | undefined {
  for (const rule of rules) {
    const instance = instantiate(rule, names);
    if (instance !== undefined && fits(instance)) return instance;
  }
  return undefined;
}
