// The outboxes of N workers, for M: what a worker had not taken for certain is for the sessions that were at home there,
// wherever they are at home now. Its numbers begin anew, and so does what each worker remembers of those of the others.
import { homeOf } from "@wrenmq/cluster";
import { type OutboxEntry, type OutboxTarget, originKey, type Store, type StoreOp } from "@wrenmq/store";

export interface OutboxWriter {
  write(op: StoreOp, bytes: number): Promise<void>;
}

/** @param renumbered gives messages of a source the numbers that they have from now on */
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

/** Whose home keeps the entry: that of the session that it is for, or of the client that waits. */
function keeperOf({ targets, clientId }: OutboxEntry, publisher: string): string {
  const [target] = targets;
  if (target?.kind === "session") return target.clientId;
  return clientId === "" ? publisher : clientId;
}
