/** A tree was given a topic name or topic filter that breaks the rules of section 4.7; nothing was stored. */
export class InvalidTopicError extends Error {
  override readonly name: string = "InvalidTopicError";
  readonly code: "ERR_INVALID_TOPIC_NAME" | "ERR_INVALID_TOPIC_FILTER";
  readonly topic: string;

  constructor(kind: "name" | "filter", topic: string) {
    // Topics come from the network and may be 65,535 bytes long: the message quotes only their beginning.
    super(`Not a valid topic ${kind}: ${JSON.stringify(topic.length > 80 ? `${topic.slice(0, 80)}…` : topic)}`);
    this.code = kind === "name" ? "ERR_INVALID_TOPIC_NAME" : "ERR_INVALID_TOPIC_FILTER";
    this.topic = topic;
  }
}
