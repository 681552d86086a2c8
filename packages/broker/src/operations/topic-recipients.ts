// Finds out who would receive a message of a topic, and who would not and why. Sends nothing and changes nothing.
import type { QoS } from "@wrenmq/codec";
import { type HookChain, isGranted } from "@wrenmq/plugin-api";
import { parseShared, topicMatches } from "@wrenmq/topics";
import type { Recipient } from "../routing/recipient.ts";
import type { RouteTable } from "../routing/route-table.ts";
import type { SessionEntry } from "../sessions/session-entry.ts";

export type Outcome =
  /** It is sent to the client at once. */
  | "sent"
  /** It is queued in the session. */
  | "queued"
  /** One member of the group gets it, which may be this one. */
  | "candidate"
  /** QoS 0, and the client is not connected. */
  | "offline"
  /** QoS 0, and the client does not read at present. */
  | "blocked"
  /** The queue is at its bound, and new messages are dropped. */
  | "queueFull"
  /** A plugin refuses it. */
  | "notAuthorized"
  /** The publisher itself, with No Local. */
  | "noLocal";

export interface RecipientReport {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly connected: boolean;
  /** Its matching subscriptions, at most 100. */
  readonly filters: readonly string[];
  /** `$share/…`, for a member of a group. */
  readonly group: string | undefined;
  /** QoS at which it would be delivered. */
  readonly qos: QoS;
  readonly outcome: Outcome;
  /** The plugin that refuses, and its rule. */
  readonly plugin: string | undefined;
  readonly rule: string | undefined;
}

export interface TopicRecipients {
  readonly recipients: readonly RecipientReport[];
  /** Sessions that match, with those that are not in `recipients`. */
  readonly total: number;
}

const MOST_FILTERS = 100;

export interface RecipientParts {
  readonly routes: RouteTable;
  chainOf(listener: string): HookChain;
}

export async function topicRecipients(
  { routes, chainOf }: RecipientParts,
  message: { readonly topic: string; readonly qos: QoS; readonly publisher: string },
  limit: number,
): Promise<TopicRecipients> {
  const route = routes.lookUp(message.topic);
  const found: { readonly recipient: Recipient; readonly group: string | undefined }[] = [];
  let total = 0;
  const add = (recipient: Recipient, group: string | undefined): void => {
    if (recipient.entry.ended) return;
    total++;
    if (found.length < limit) found.push({ recipient, group });
  };
  for (const recipient of route.recipients) add(recipient, undefined);
  for (const { filter, members } of route.groups) for (const member of members) add(member, filter);
  const recipients: RecipientReport[] = [];
  for (const { recipient, group } of found) {
    const { entry } = recipient;
    const { qos } = recipient.options(message.qos, false);
    const refusal = await refusalOf(chainOf(entry.client.listener), entry, message.topic);
    const isNoLocal = recipient.noLocalView === null && message.publisher === entry.session.clientId;
    recipients.push({
      clientId: entry.session.clientId,
      username: entry.session.username,
      connected: entry.connection !== undefined,
      filters: group === undefined ? matchingFilters(entry, message.topic) : [group],
      group,
      qos,
      outcome: isNoLocal ? "noLocal" : refusal !== undefined ? "notAuthorized" : outcomeOf(entry, qos, group),
      plugin: refusal?.plugin,
      rule: refusal?.rule,
    });
  }
  return { recipients, total };
}

/** The first plugin that refuses, or the last one without a yes. */
async function refusalOf(
  chain: HookChain,
  entry: SessionEntry,
  topic: string,
): Promise<{ readonly plugin: string | undefined; readonly rule: string | undefined } | undefined> {
  const opinions = (await chain.explain?.(entry.client, "receive", topic)) ?? [];
  if (isGranted(opinions)) return undefined;
  const denial = opinions.find(({ decision }) => decision === "deny");
  return { plugin: denial?.plugin, rule: denial === undefined ? "no plugin allows it" : denial.rule };
}

function outcomeOf({ session, connection }: SessionEntry, qos: QoS, group: string | undefined): Outcome {
  const { link } = session;
  if (group !== undefined) return "candidate";
  if (qos === 0) {
    if (connection === undefined || link === undefined) return "offline";
    return link.blocked ? "blocked" : "sent";
  }
  const dropsNew = session.limits.overflow === "drop-new" || session.limits.overflow === "disconnect";
  const isHeld = session.limits.overflow === "backpressure" && connection !== undefined && session.keepsUp;
  if (session.congested && !isHeld && (dropsNew || session.limits.overflow === "backpressure")) return "queueFull";
  const isFree =
    link !== undefined && session.queued === 0 && session.window.size < link.receiveMaximum && !link.blocked;
  return isFree ? "sent" : "queued";
}

function matchingFilters({ session }: SessionEntry, topic: string): string[] {
  const filters: string[] = [];
  for (const filter of session.subscriptions.keys()) {
    if (parseShared(filter) !== undefined || !topicMatches(filter, topic)) continue;
    filters.push(filter);
    if (filters.length >= MOST_FILTERS) break;
  }
  return filters;
}
