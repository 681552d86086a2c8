// A will on its way out: a message like any other, subject to what its client may publish when it is published.
import { ReasonCode, type Will } from "@wrenmq/codec";
import { type Millis, NEVER, type StoredMessage } from "@wrenmq/protocol";
import type { BrokerCore } from "../core.ts";
import type { SessionEntry } from "../sessions/session-registry.ts";
import { pluginMessage } from "./router.ts";

export function publishWill(core: BrokerCore, entry: SessionEntry, will: Will): void {
  publishIfAllowed(core, entry, will).catch((error: unknown) => {
    core.logger.error({ clientId: entry.session.clientId, error }, "a will could not be published");
  });
}

async function publishIfAllowed(core: BrokerCore, entry: SessionEntry, will: Will): Promise<void> {
  const { router, clock } = core;
  const { client } = entry;
  const { payload, qos, retain } = will;
  const { willDelayInterval: _delay, ...properties } = will.properties ?? {};
  const content = { ...withExpiry({ payload, qos, retain }, properties, clock.now()), publisher: client.clientId };
  const message = router.message(will.topic, content);
  if (message === undefined) {
    router.dropped(entry.session, { topic: will.topic, ...content }, "invalidTopic");
    return;
  }
  const { authorize } = router.hooks.chainOf(client.listener);
  const asked = authorize?.(client, "publish", will.topic);
  const verdict = asked instanceof Promise ? await asked : asked;
  if (will.topic.startsWith("$SYS/") || (verdict?.reasonCode ?? ReasonCode.Success) >= 0x80) {
    router.dropped(entry.session, message, "notAuthorized");
    return;
  }
  if (router.hooks.observe.published !== undefined) router.hooks.observe.published(client, pluginMessage(message));
  router.publishAside(message, clock.now());
}

/** Turns the interval that a publisher gives into a time, and leaves out what belongs to one connection only. */
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
