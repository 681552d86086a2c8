// One line of an access list, and what it says about a request. Containment and matching are decided by
// @wrenmq/topics; here is only which question to ask.
import type { Action } from "@wrenmq/plugin-api";
import { filterContains, filtersOverlap, parseShared, topicMatches } from "@wrenmq/topics";

export interface Rule {
  readonly filter: string;
  /** How the rule is called when it decides: "subscribe.alice[2]", "acl.txt:7". */
  readonly name: string;
}

/** The filter that a subscription matches topics with; undefined when it is a shared one that is not valid. */
export function plainFilter(action: Action, topic: string): string | undefined {
  if (action !== "subscribe") return topic;
  const shared = parseShared(topic);
  if (shared === undefined) return topic;
  return shared === "invalid" ? undefined : shared.filter;
}

/** Does the rule cover all of the request: the one topic, or every topic that the subscription could bring? */
export function covers(rule: Rule, action: Action, topic: string): boolean {
  return action === "subscribe" ? filterContains(rule.filter, topic) : topicMatches(rule.filter, topic);
}

/** Is there a topic that both the rule and the request are about? */
export function touches(rule: Rule, action: Action, topic: string): boolean {
  return action === "subscribe" ? filtersOverlap(rule.filter, topic) : topicMatches(rule.filter, topic);
}
