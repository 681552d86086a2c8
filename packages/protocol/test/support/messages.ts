import { encodeUtf8, type PublishProperties, type QoS } from "@wrenmq/codec";
import { Message, NEVER, type TopicTable } from "../../src/index.ts";

export interface MessageFields {
  readonly qos?: QoS;
  readonly properties?: PublishProperties | undefined;
  readonly expiresAt?: number;
}

/** A message that owns its bytes. */
export function message(
  topics: TopicTable,
  topic: string,
  payload: string | Uint8Array,
  fields: MessageFields = {},
): Message {
  const target = topics.find(topic);
  if (target === undefined) throw new Error(`"${topic}" is not a topic name`);
  return Message.of(target, {
    payload: typeof payload === "string" ? encodeUtf8(payload) : payload,
    qos: fields.qos ?? 0,
    retain: false,
    properties: fields.properties,
    expiresAt: fields.expiresAt ?? NEVER,
    publisher: "test",
  });
}
