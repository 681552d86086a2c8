// Distributes the outboxes of N workers to M: messages that a worker has not taken for certain are for the sessions
// whose home it was, wherever their home is now. Numbers begin anew, and so do the records of numbers taken.
import { homeOf } from "@wrenmq/cluster";
import { type OutboxEntry, type OutboxTarget, originKey, type Store, type StoreOp } from "@wrenmq/store";

export interface OutboxWriter {
  write(op: StoreOp, bytes: number): Promise<void>;
}

/** @param renumbered maps messages of a source to their new numbers */
export async function copyOutboxes(
  sources: readonly Store[],
  writers: readonly OutboxWriter[],
  renumbered: (source: Store, messageId: number) => number,
): Promise<void> {
  const taken = sources.map(
    (source) => new Map([...source.origins()].map((origin) => [originKey(origin), origin.taken])),
  );
  const numbers = writers.map(() => 0);
  const run = Math.floor(Math.random() * 2 ** 48);
  for (const source of sources) {
    const store = source.identity() ?? "";
    for (const { entry, message } of source.outbox()) {
      const isTakenBy = (worker: number): boolean =>
        entry.number <= (taken[worker]?.get(originKey({ store, run: entry.run })) ?? 0);
      const targets = entry.targets.flatMap((target) => retarget(target, sources.length, isTakenBy));
      if (targets.length === 0) continue;
      const home = homeOf(keeperOf(entry, message.publisher), writers.length);
      const number = (numbers[home] ?? 0) + 1;
      numbers[home] = number;
      const moved = { ...entry, number, run, messageId: renumbered(source, entry.messageId), targets };
      await writers[home]?.write({ op: "putOutbox", entry: moved, message }, message.payload.length);
    }
  }
}

function retarget(target: OutboxTarget, count: number, isTakenBy: (worker: number) => boolean): OutboxTarget[] {
  if (target.kind !== "member") return [target];
  const { kind: _, member, homes, ...rest } = target;
  if (isTakenBy(member)) return [];
  return [{ kind: "everywhere", ...rest, homes: [...homes, { home: member, count }] }];
}

/** The home that keeps the entry: that of the session it is for, or of the client that waits for it. */
function keeperOf({ targets, clientId }: OutboxEntry, publisher: string): string {
  const [target] = targets;
  if (target?.kind === "session") return target.clientId;
  return clientId === "" ? publisher : clientId;
}
