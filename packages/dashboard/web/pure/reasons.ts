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

type Tone = "ok" | "warn" | "bad" | "quiet";

const OUTCOMES: Readonly<Record<string, readonly [tone: Tone, name: string, meaning: string]>> = {
  sent: ["ok", "gets it", "it goes out at once"],
  queued: ["ok", "waits for it", "it waits: the client is away, or acknowledges nothing at present"],
  candidate: ["ok", "one of a group", "one member of the shared subscription gets it, which may be this one"],
  offline: ["warn", "is away", "QoS 0, and the client is not connected: publish and subscribe with QoS 1"],
  blocked: ["warn", "takes nothing", "QoS 0, and the client does not read: its network or program is too slow"],
  queueFull: ["bad", "queue is full", "the queue is at its bound (limits.max_queued_messages)"],
  notAuthorized: ["bad", "refused", "a rule refuses it"],
  noLocal: ["quiet", "its own", "it is the publisher itself, and does not want its own messages (No Local)"],
};

export interface OutcomeWords {
  readonly tone: Tone;
  readonly name: string;
  readonly meaning: string;
  /** Does the message reach the client, now or later? */
  readonly arrives: boolean;
}

/** What would happen to a message for one client. */
export function outcomeWords(outcome: string): OutcomeWords {
  const [tone, name, meaning] = OUTCOMES[outcome] ?? ["quiet", outcome, ""];
  return { tone, name, meaning, arrives: tone === "ok" };
}
