// Authorization by lists of topic filters: does a filter cover what the client asks for?
import { ReasonCode } from "@wrenmq/codec";
import type { Verdict } from "@wrenmq/protocol";
import { filterContains, isShared, isTopicFilter, parseShared, topicMatches } from "@wrenmq/topics";
import type { Action } from "../hooks.ts";

/** The topic filters that a client may use, for each action; undefined: this list does not decide about the action. */
export type TopicGrants = Readonly<Partial<Record<Action, readonly string[] | undefined>>>;

/** The filter of a subscription without `$share/…/`; undefined when a shared one is not valid. */
export function plainFilter(action: Action, topic: string): string | undefined {
  if (action !== "subscribe") return topic;
  const shared = parseShared(topic);
  if (shared === undefined) return topic;
  return shared === "invalid" ? undefined : shared.filter;
}

/**
 * Does the filter cover all of the request: the one topic, or every topic that a subscription could receive? `topic` of
 * a subscription is the result of `plainFilter`. An invalid filter covers nothing.
 */
export function covers(filter: string, action: Action, topic: string): boolean {
  if (!isTopicFilter(filter) || isShared(filter)) return false;
  return action === "subscribe" ? filterContains(filter, topic) : topicMatches(filter, topic);
}

/** Yes when a filter of the action covers the request, otherwise no. `source` is the prefix of the rule names. */
export function decideByGrants(grants: TopicGrants, action: Action, requested: string, source: string): Verdict {
  const filters = grants[action];
  const topic = plainFilter(action, requested);
  if (topic !== undefined && filters !== undefined) {
    for (const [index, filter] of filters.entries()) {
      if (covers(filter, action, topic))
        return { reasonCode: ReasonCode.Success, rule: `${source}.${action}[${index}]` };
    }
  }
  return { reasonCode: ReasonCode.NotAuthorized, rule: `nothing in ${source}.${action} covers it` };
}
