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

const OUTCOMES: Readonly<Record<string, string>> = {
  sent: "gets it at once",
  queued: "gets it later: it waits in the queue",
  candidate: "may get it: one member of the group does",
  offline: "loses it: away, and QoS 0",
  blocked: "loses it: takes nothing, and QoS 0",
  queueFull: "loses it: its queue is full",
  notAuthorized: "does not get it: a rule refuses",
  noLocal: "does not get it: it is the publisher",
};

export function outcomeOf(outcome: string): string {
  return OUTCOMES[outcome] ?? outcome;
}

/** Does the message reach the client, now or later? */
export function isDelivered(outcome: string): boolean {
  return outcome === "sent" || outcome === "queued" || outcome === "candidate";
}
