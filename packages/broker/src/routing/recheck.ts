// Access rules changed: what clients were allowed before is asked again. [see PluginContext.rulesChanged]
import { isAllowed } from "@wrenmq/protocol";
import { parseShared } from "@wrenmq/topics";
import type { BrokerCore } from "../core.ts";
import type { SessionEntry } from "../sessions/session-registry.ts";

export function recheckAll(core: BrokerCore): void {
  core.router.rules++;
  for (const entry of core.registry.values()) {
    recheck(core, entry).catch((error: unknown) => {
      core.logger.error({ clientId: entry.session.clientId, error }, "access could not be checked again");
    });
  }
}

async function recheck(core: BrokerCore, entry: SessionEntry): Promise<void> {
  const { client, session } = entry;
  const chain = core.router.hooks.chainOf(client.listener);
  const { connection } = entry;
  if (connection !== undefined && chain.authorizeConnect !== undefined) {
    const verdict = await chain.authorizeConnect(client);
    if (!isAllowed(verdict)) connection.close(verdict.reasonCode, verdict.reasonString);
  }
  if (chain.authorize === undefined) return;
  for (const filter of [...session.subscriptions.keys()]) {
    const shared = parseShared(filter);
    const plain = shared === undefined || shared === "invalid" ? filter : shared.filter;
    const verdict = await chain.authorize(client, "subscribe", plain);
    if (isAllowed(verdict) || entry.ended) continue;
    core.logger.info({ clientId: client.clientId, filter, rule: verdict.rule }, "a changed rule ends a subscription");
    if (core.router.unsubscribe(entry, filter, undefined)) core.router.hooks.observe.unsubscribed?.(client, filter);
  }
}
