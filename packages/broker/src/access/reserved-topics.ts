// Rules for publishing to topics that begin with `$`, before the access rules. `$SYS/` belongs to the server, except
// one topic of each bridge. Others are allowed, since clients use them among themselves, unless the broker refuses them
// as the standard suggests. [MQTT5 4.7.2]
import type { ClientInfo } from "@wrenmq/plugin-api";
import { DENIED, type Message, type Verdict } from "@wrenmq/protocol";
import { topicMatches } from "@wrenmq/topics";

export type DollarTopics = "allow" | "refuse";

/** Prefix of the server's own topics. */
const SYS_PREFIX = "$SYS/";
/** Bytes. A bridge publishes one character about itself; the rest is for the topic and properties. */
const STATE_WEIGHT = 1_024;
const STATE_PAYLOAD = 1;

const NOT_YOURS: Verdict = { ...DENIED, rule: "$SYS is the server's own" };
const NOT_A_STATE: Verdict = { ...DENIED, rule: "the state of a bridge is one byte" };
const REFUSED: Verdict = { ...DENIED, rule: "dollar_topics: refuse" };

export interface ReservedTopicRules {
  readonly dollarTopics: DollarTopics;
  /** Filters of topics that plugins serve. */
  readonly served: readonly string[];
}

/** @returns the refusal; undefined: the access rules decide */
export function refuseReserved(
  client: Pick<ClientInfo, "bridge" | "clientId">,
  message: Pick<Message, "topic" | "payloadLength" | "weight">,
  { dollarTopics, served }: ReservedTopicRules,
): Verdict | undefined {
  const { topic } = message;
  if (isServersOwn(topic)) {
    if (dollarTopics === "refuse" || !isOwnState(client, topic)) return NOT_YOURS;
    return message.payloadLength > STATE_PAYLOAD || message.weight > STATE_WEIGHT ? NOT_A_STATE : undefined;
  }
  if (dollarTopics === "allow" || served.some((filter) => topicMatches(filter, topic))) return undefined;
  return REFUSED;
}

export function isServersOwn(topic: string): boolean {
  return topic.startsWith(SYS_PREFIX);
}

/**
 * Is this the topic for the connection state of this bridge? Mosquitto names it after the client identifier that its
 * bridge has here, so a client cannot publish for another bridge.
 */
export function isOwnState({ bridge, clientId }: Pick<ClientInfo, "bridge" | "clientId">, topic: string): boolean {
  return bridge && !clientId.includes("/") && topic === `$SYS/broker/connection/${clientId}/state`;
}
