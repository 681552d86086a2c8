// One rule of an access list.
import type { Action } from "@wrenmq/plugin-api";
import { filtersOverlap, topicMatches } from "@wrenmq/topics";

export interface Rule {
  readonly filter: string;
  /** Name of the rule in verdicts: "subscribe.alice[2]", "acl.txt:7". */
  readonly name: string;
}

/** Is there a topic to which both the rule and the request apply? */
export function touches(rule: Rule, action: Action, topic: string): boolean {
  return action === "subscribe" ? filtersOverlap(rule.filter, topic) : topicMatches(rule.filter, topic);
}
