// What the names of the broker mean, in a few words.

const DROPS: Readonly<Record<string, string>> = {
  queueFull: "the queue was full",
  expired: "the message had expired",
  tooLarge: "larger than the client takes",
  blocked: "the client took nothing (QoS 0)",
  notAuthorized: "a rule refused it",
  invalidTopic: "the topic was not valid",
  offline: "the client was away (QoS 0)",
  sessionEnded: "the session ended",
  storeFull: "the store was full",
};

export function dropReason(reason: string): string {
  return DROPS[reason] ?? reason;
}
