import { type TopicLimits, withinLimits } from "./topic-limits.ts";

/**
 * Whether `topic` may be the topic name of a PUBLISH: one character or more, no wildcard, no U+0000
 * (MQTT 3.1.1 and 5.0, section 4.7). That UTF-8 takes at most 65,535 bytes is for the codec to check.
 */
export function isTopicName(topic: string, limits?: TopicLimits): boolean {
  if (topic.length === 0) return false; // [MQTT-4.7.3-1]
  if (topic.includes("+") || topic.includes("#") || topic.includes("\0")) return false;
  return withinLimits(topic, 0, limits);
}
