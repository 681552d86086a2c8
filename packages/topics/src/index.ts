export { filterContains, filtersOverlap } from "./filter-relations.ts";
export { InvalidTopicError } from "./invalid-topic-error.ts";
export { type StoredFilter, SubscriptionTree } from "./subscription-tree.ts";
export { isShared, isTopicFilter, parseShared, type SharedFilter, unsharedFilter } from "./topic-filter.ts";
export type { TopicLimits } from "./topic-limits.ts";
export { topicMatches } from "./topic-match.ts";
export { isTopicName } from "./topic-name.ts";
export { TopicTree, type TopicWalk } from "./topic-tree.ts";
