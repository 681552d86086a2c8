// Filters and sort keys of sessions.
import type { Operations, SessionView } from "@wrenmq/broker";

export interface SessionFilter {
  readonly clientId?: string | undefined;
  readonly prefix?: string | undefined;
  readonly contains?: string | undefined;
  readonly username?: string | undefined;
  readonly address?: string | undefined;
  readonly listener?: string | undefined;
}

export function matcherOf(filter: SessionFilter): (view: SessionView) => boolean {
  const { clientId, prefix, contains, username, address, listener } = filter;
  return (view) =>
    (clientId === undefined || view.clientId === clientId) &&
    (prefix === undefined || view.clientId.startsWith(prefix)) &&
    (contains === undefined || view.clientId.includes(contains)) &&
    (username === undefined || view.username === username) &&
    (address === undefined || view.client.remoteAddress === address) &&
    (listener === undefined || view.client.listener === listener);
}

/** All sessions, or by one look-up the one that the filter names. */
export function candidates(operations: Operations, { clientId }: SessionFilter): Iterable<SessionView> {
  if (clientId === undefined) return operations.sessions();
  const view = operations.session(clientId);
  return view === undefined ? [] : [view];
}

export const SORTS = {
  clientId: (view: SessionView) => view.clientId,
  queued: (view: SessionView) => view.queued,
  queuedBytes: (view: SessionView) => view.queuedBytes,
  inflight: (view: SessionView) => view.inflight,
  dropped: (view: SessionView) => view.dropped,
  subscriptions: (view: SessionView) => view.subscriptions.size,
  connectedAt: (view: SessionView) => view.client.connectedAt,
  oldest: (view: SessionView) => view.oldestSince ?? Number.MAX_SAFE_INTEGER,
  disconnectedAt: (view: SessionView) => view.disconnectedAt ?? Number.MAX_SAFE_INTEGER,
} as const;

export type SortName = keyof typeof SORTS;
