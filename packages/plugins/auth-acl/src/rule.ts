// One line of an access list.
import type { Action } from "@wrenmq/plugin-api";
import { filtersOverlap, topicMatches } from "@wrenmq/topics";

export interface Rule {
  readonly filter: string;
  /** How the rule is called when it decides: "subscribe.alice[2]", "acl.txt:7". */
  readonly name: string;
}

/** Is there a topic that both the rule and the request are about? */
export function touches(rule: Rule, action: Action, topic: string): boolean {
  return action === "subscribe" ? filtersOverlap(rule.filter, topic) : topicMatches(rule.filter, topic);
}
