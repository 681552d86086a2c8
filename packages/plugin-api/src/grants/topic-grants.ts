// The question that every plugin with lists of topic filters asks: does one of them cover what the client wants?
import type { Verdict } from "@wrenmq/protocol";
import { filterContains, isShared, isTopicFilter, parseShared, topicMatches } from "@wrenmq/topics";
import type { Action } from "../hooks.ts";

/** The topic filters that somebody may use, for each action; undefined: nothing is said about that action. */
export type TopicGrants = Readonly<Partial<Record<Action, readonly string[] | undefined>>>;

/** The filter that a subscription matches topics with; undefined when it is a shared one that is not valid. */
export function plainFilter(action: Action, topic: string): string | undefined {
  if (action !== "subscribe") return topic;
  const shared = parseShared(topic);
  if (shared === undefined) return topic;
  return shared === "invalid" ? undefined : shared.filter;
}

/**
 * Does the filter cover all of the request: the one topic, or every topic that a subscription could bring? `topic` of a
 * subscription is what `plainFilter` gives. A filter that is not valid covers nothing.
 */
export function covers(filter: string, action: Action, topic: string): boolean {
  if (!isTopicFilter(filter) || isShared(filter)) return false;
  return action === "subscribe" ? filterContains(filter, topic) : topicMatches(filter, topic);
}

/** Yes when one filter of the action covers the request, otherwise no. `source` is what rules are called after. */
export function decideByGrants(grants: TopicGrants, action: Action, requested: string, source: string): Verdict {
  const filters = grants[action];
  const topic = plainFilter(action, requested);
  if (topic !== undefined && filters !== undefined) {
    for (const [index, filter] of filters.entries()) {
      if (covers(filter, action, topic)) return { reasonCode: 0, rule: `${source}.${action}[${index}]` };
    }
  }
  return { reasonCode: 0x87, rule: `nothing in ${source}.${action} covers it` };
}
