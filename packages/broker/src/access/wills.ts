// Publishes wills: a will is a message that passes the checks of a PUBLISH when it is due.
import type { Will } from "@wrenmq/codec";
import type { Logger } from "@wrenmq/plugin-api";
import { type Millis, NEVER, type StoredMessage } from "@wrenmq/protocol";
import { pluginMessage } from "../routing/plugin-message.ts";
import { PublishWaits } from "../routing/publish-waits.ts";
import type { Clock } from "../runtime/clock.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { AuthorizationCache } from "./authorization-cache.ts";
import { type PolicyParts, refusePublish } from "./publish-policy.ts";
import type { DollarTopics } from "./reserved-topics.ts";

export interface WillParts extends PolicyParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dollarTopics: DollarTopics;
}

export function publishWill(parts: WillParts, entry: SessionEntry, will: Will): void {
  publishIfAllowed(parts, entry, will).catch((error: unknown) => {
    parts.logger.error({ clientId: entry.session.clientId, err: error }, "a will could not be published");
  });
}

async function publishIfAllowed(parts: WillParts, entry: SessionEntry, will: Will): Promise<void> {
  const { router, clock, dollarTopics } = parts;
  const { client } = entry;
  const { payload, qos, retain } = will;
  const { willDelayInterval: _delay, ...properties } = will.properties ?? {};
  const content = { ...withExpiry({ payload, qos, retain }, properties, clock.now()), publisher: client.clientId };
  const message = router.message(will.topic, content);
  if (message === undefined) {
    router.dropped(client.clientId, { topic: will.topic, ...content }, "invalidTopic", "publisher");
    return;
  }
  const chain = router.hooks.chainOf(client.listener);
  const access = new AuthorizationCache(client, () => ({ chain, generation: router.rules, dollarTopics }));
  const verdict = access.publish(message);
  if (refusePublish(parts, client, message, verdict instanceof Promise ? await verdict : verdict) !== undefined) return;
  if (router.hooks.observe.published !== undefined) router.hooks.observe.published(client, pluginMessage(message));
  router.publish(message, clock.now(), new PublishWaits());
}

/** Converts the expiry interval to a time, and drops properties that belong to one connection only. */
export function withExpiry(
  content: Pick<StoredMessage, "payload" | "qos" | "retain">,
  given: NonNullable<StoredMessage["properties"]>,
  now: Millis,
): Omit<StoredMessage, "topic" | "publisher"> {
  const { messageExpiryInterval, topicAlias: _alias, subscriptionIdentifiers: _identifiers, ...rest } = given;
  return {
    ...content,
    properties: Object.keys(rest).length > 0 ? rest : undefined,
    expiresAt: messageExpiryInterval === undefined ? NEVER : now + messageExpiryInterval * 1000,
  };
}
