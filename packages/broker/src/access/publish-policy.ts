// May a message be published here? The checks that a PUBLISH and a will pass alike, in order: the server's own topics and
// access (`AuthorizationCache.publish`), then a store that takes nothing; and for a PUBLISH the plugins that change messages
// (a will has passed the hook `will`).
import { ReasonCode } from "@wrenmq/codec";
import type { ClientInfo, HookChain, MaybePromise, PluginMessage } from "@wrenmq/plugin-api";
import { type DropReason, isAllowed, Message, type TopicLimits, type TopicTable, type Verdict } from "@wrenmq/protocol";
import type { FactLog } from "../persistence/fact-log.ts";
import { pluginMessage } from "../routing/plugin-message.ts";
import type { Router } from "../routing/router.ts";

/** The message that is to be routed (plugins may have changed it), or the reason code that refuses it. */
export type PublishDecision = Message | ReasonCode;

export interface PolicyParts {
  readonly router: Router;
  readonly topics: TopicTable;
  readonly factLog: FactLog | undefined;
}

/** @param verdict of the access rules. @returns the reason code that refuses the message, which is counted then */
export function refusePublish(
  parts: PolicyParts,
  client: ClientInfo,
  message: Message,
  verdict: Verdict,
): ReasonCode | undefined {
  if (!isAllowed(verdict)) return refuse(parts, client, message, "notAuthorized", verdict.reasonCode);
  if (parts.factLog?.failing !== undefined && (message.qos > 0 || message.retain)) {
    return refuse(parts, client, message, "storeFull", ReasonCode.QuotaExceeded);
  }
  return undefined;
}

/**
 * The same for a PUBLISH, which plugins may change or refuse then.
 * @param limits of the listener that it came by
 */
export function decidePublish(
  parts: PolicyParts,
  chain: HookChain,
  client: ClientInfo,
  message: Message,
  verdict: Verdict,
  limits: TopicLimits,
): MaybePromise<PublishDecision> {
  const refused = refusePublish(parts, client, message, verdict);
  if (refused !== undefined) return refused;
  if (chain.publish === undefined) return message;
  const changed = chain.publish(client, pluginMessage(message));
  return changed instanceof Promise
    ? changed.then((answer) => transformed(parts, client, message, answer, limits))
    : transformed(parts, client, message, changed, limits);
}

function transformed(
  parts: PolicyParts,
  client: ClientInfo,
  message: Message,
  answer: PluginMessage | Verdict,
  limits: TopicLimits,
): PublishDecision {
  if ("reasonCode" in answer) return refuse(parts, client, message, "notAuthorized", answer.reasonCode);
  const target = parts.topics.find(answer.topic, limits);
  if (target === undefined) return refuse(parts, client, message, "invalidTopic", ReasonCode.TopicNameInvalid);
  return Message.of(target, { ...answer, expiresAt: message.expiresAt });
}

function refuse(
  { router }: PolicyParts,
  client: ClientInfo,
  message: Message,
  reason: DropReason,
  reasonCode: ReasonCode,
): ReasonCode {
  router.dropped(client.clientId, message, reason, "publisher");
  return reasonCode;
}
