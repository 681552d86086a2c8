import { HASH, NUL, PLUS, SLASH } from "./characters.ts";
import type { TopicLimits } from "./topic-limits.ts";

/**
 * Whether `topic` may be the topic name of a PUBLISH: one character or more, no wildcard, no U+0000
 * (MQTT 3.1.1 and 5.0, section 4.7). That UTF-8 takes at most 65,535 bytes is for the codec to check.
 */
export function isTopicName(topic: string, limits?: TopicLimits): boolean {
  if (topic.length === 0) return false; // [MQTT-4.7.3-1]
  const maxLevels = limits?.maxLevels ?? Number.POSITIVE_INFINITY;
  let levels = 1;
  for (let i = 0; i < topic.length; i++) {
    const unit = topic.charCodeAt(i);
    if (unit === PLUS || unit === HASH || unit === NUL) return false;
    if (unit === SLASH) levels++;
  }
  return levels <= maxLevels;
}
