// The table of all administrative commands. All interfaces are made from it.
import { clientsBan, clientsBans, clientsUnban } from "./commands/bans.ts";
import { clientsDisconnect, clientsGet, clientsKick, clientsList } from "./commands/clients.ts";
import { clusterDrain, clusterMembers, clusterMove, clusterPartitions, clusterStatus } from "./commands/cluster.ts";
import { pluginsList } from "./commands/plugins.ts";
import { reload } from "./commands/reload.ts";
import { retainedDelete, retainedExport, retainedGet, retainedList } from "./commands/retained.ts";
import { drain, health, listenersList, metrics, stats } from "./commands/server.ts";
import { sessionsEnd, sessionsGet, sessionsList, subscriptionsList } from "./commands/sessions.ts";
import { explain, publish, topicsExplain } from "./commands/topics.ts";
import { traceRun } from "./commands/trace.ts";
import { messagesWatch, statsWatch } from "./commands/watch.ts";
import type { AnyCommand } from "./define-command.ts";

export const COMMANDS = {
  "clients.list": clientsList,
  "clients.get": clientsGet,
  "clients.kick": clientsKick,
  "clients.disconnect": clientsDisconnect,
  "clients.ban": clientsBan,
  "clients.unban": clientsUnban,
  "clients.bans": clientsBans,
  "sessions.list": sessionsList,
  "sessions.get": sessionsGet,
  "sessions.end": sessionsEnd,
  "subscriptions.list": subscriptionsList,
  "retained.list": retainedList,
  "retained.get": retainedGet,
  "retained.delete": retainedDelete,
  "retained.export": retainedExport,
  "topics.explain": topicsExplain,
  explain,
  publish,
  "listeners.list": listenersList,
  "plugins.list": pluginsList,
  "cluster.status": clusterStatus,
  "cluster.members": clusterMembers,
  "cluster.partitions": clusterPartitions,
  "cluster.drain": clusterDrain,
  "cluster.move": clusterMove,
  "messages.watch": messagesWatch,
  metrics,
  stats,
  "stats.watch": statsWatch,
  "trace.run": traceRun,
  health,
  reload,
  drain,
} as const;

export type Commands = typeof COMMANDS;
export type CommandName = keyof Commands;

/** For interfaces that are made from the table. */
export const ALL_COMMANDS: readonly AnyCommand[] = Object.values(COMMANDS) as unknown as readonly AnyCommand[];

export function commandNamed(name: string): AnyCommand | undefined {
  return Object.hasOwn(COMMANDS, name) ? (COMMANDS as unknown as Record<string, AnyCommand>)[name] : undefined;
}
