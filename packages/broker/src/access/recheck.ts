// Applies changed access rules: connections, subscriptions and queued messages that were allowed before are checked
// again. [see PluginContext.rulesChanged]
import type { Logger } from "@wrenmq/plugin-api";
import { isAllowed, type Message, type Session } from "@wrenmq/protocol";
import { unsharedFilter } from "@wrenmq/topics";
import type { Router } from "../routing/router.ts";
import type { Clock } from "../runtime/clock.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

/** Topics of queued messages whose verdicts are cached for one session. */
const MOST_TOPICS = 1_000;

export interface RecheckParts {
  readonly router: Router;
  readonly registry: SessionRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function recheckAll(core: RecheckParts): void {
  core.router.rules++;
  for (const entry of core.registry.values()) {
    entry.session.recheckQueue();
    recheck(core, entry).catch((error: unknown) => {
      core.logger.error({ clientId: entry.session.clientId, err: error }, "access could not be checked again");
    });
  }
}

async function recheck(core: RecheckParts, entry: SessionEntry): Promise<void> {
  const { client, session } = entry;
  const chain = core.router.hooks.chainOf(client.listener);
  const { connection } = entry;
  if (connection !== undefined && chain.authorizeConnect !== undefined) {
    const verdict = await chain.authorizeConnect(client);
    if (!isAllowed(verdict)) connection.close(verdict.reasonCode, verdict.reasonString);
  }
  if (chain.authorize === undefined) return;
  for (const filter of [...session.subscriptions.keys()]) {
    const verdict = await chain.authorize(client, "subscribe", unsharedFilter(filter));
    if (isAllowed(verdict) || entry.ended) continue;
    core.logger.info({ clientId: client.clientId, filter, rule: verdict.rule }, "a changed rule ends a subscription");
    if (core.router.unsubscribe(entry, filter, undefined)) core.router.hooks.observe.unsubscribed?.(client, filter);
  }
}

/**
 * Do the present rules allow a message that was queued under earlier ones? Plugins are called once for each topic.
 * @returns undefined: a plugin answers later, and the session is pumped then
 */
export function mayReceiveQueued(core: RecheckParts, session: Session, { topic }: Message): boolean | undefined {
  const { router, registry } = core;
  const entry = registry.get(session.clientId);
  if (entry === undefined) return true;
  const { authorize } = router.hooks.chainOf(entry.client.listener);
  if (authorize === undefined) return true;
  const known = entry.recheckedTopics;
  const isUsable = known?.rules === router.rules && known.verdicts.size < MOST_TOPICS;
  const { verdicts } = isUsable ? known : { verdicts: new Map<string, boolean | undefined>() };
  if (!isUsable) entry.recheckedTopics = { rules: router.rules, verdicts };
  if (verdicts.has(topic)) return verdicts.get(topic);
  const verdict = authorize(entry.client, "receive", topic);
  if (!(verdict instanceof Promise)) {
    verdicts.set(topic, isAllowed(verdict));
    return isAllowed(verdict);
  }
  verdicts.set(topic, undefined);
  verdict.then(
    (answer) => {
      verdicts.set(topic, isAllowed(answer));
      session.pump(core.clock.now());
    },
    (error: unknown) => {
      verdicts.set(topic, false);
      core.logger.error(
        { clientId: session.clientId, err: error },
        "access to a queued message could not be checked again",
      );
      session.pump(core.clock.now());
    },
  );
  return undefined;
}
