// Decides whether a message may be published. A PUBLISH and a will pass the same access rules
// (`AuthorizationCache.publish` with the server's own topics). Two checks are only for a PUBLISH: plugins that change
// messages (a will has passed the hook `will`), and a store that refuses facts. The publisher sends a refused PUBLISH
// again; a will is sent once, so its facts wait in the log.
import { ReasonCode } from "@wrenmq/codec";
import type { ClientInfo, HookChain, MaybePromise, PluginMessage } from "@wrenmq/plugin-api";
import { type DropReason, isAllowed, Message, type TopicLimits, type TopicTable, type Verdict } from "@wrenmq/protocol";
import type { FactLog } from "../persistence/fact-log.ts";
import { pluginMessage } from "../routing/plugin-message.ts";
import type { Router } from "../routing/router.ts";
import type { RefusalLog } from "../runtime/refusal-log.ts";
import { isServersOwn } from "./reserved-topics.ts";

/** The message to route (plugins may have changed it), or the reason code of the refusal. */
export type PublishDecision = Message | ReasonCode;

export interface PolicyParts {
  readonly router: Router;
  readonly topics: TopicTable;
  readonly factLog: FactLog | undefined;
  readonly refusals: RefusalLog;
}

/**
 * @param verdict of the access rules
 * @returns the reason code if the message is refused, which is then counted
 */
export function refusePublish(
  parts: PolicyParts,
  client: ClientInfo,
  message: Message,
  verdict: Verdict,
): ReasonCode | undefined {
  return isAllowed(verdict) ? undefined : refuseAccess(parts, client, message, verdict);
}

/**
 * The same for a PUBLISH, which the store and plugins may refuse, and plugins may change.
 * @param limits of the listener of the connection
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
  if (parts.factLog?.failing !== undefined && (message.qos > 0 || message.retain)) {
    return refuse(parts, client, message, "storeFull", ReasonCode.QuotaExceeded);
  }
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
  if ("reasonCode" in answer) return refuseAccess(parts, client, message, answer);
  const target = parts.topics.find(answer.topic, limits);
  if (target === undefined) return refuse(parts, client, message, "invalidTopic", ReasonCode.TopicNameInvalid);
  return Message.of(target, { ...answer, expiresAt: message.expiresAt });
}

function refuseAccess(parts: PolicyParts, client: ClientInfo, message: Message, verdict: Verdict): ReasonCode {
  const { topic } = message;
  if (isServersOwn(topic)) parts.refusals.refusedQuietly(client, topic, verdict);
  else parts.refusals.refused(client, "publish", topic, verdict);
  return refuse(parts, client, message, "notAuthorized", verdict.reasonCode);
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
