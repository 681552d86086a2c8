// Asks several members at once, for a bounded time, and reads several streams as one.
import type { MemberName } from "../define-command.ts";
import { type Member, MemberMissing } from "./member.ts";

export interface Gathered {
  readonly parts: readonly unknown[];
  readonly answered: readonly MemberName[];
  readonly missing: readonly MemberName[];
}

/** @throws what a member has thrown, unless it was missing: then all others have answered */
export async function gather(
  members: readonly Member[],
  ask: (member: Member, index: number) => Promise<unknown>,
): Promise<Gathered> {
  const results = await Promise.allSettled(members.map(async (member, index) => ask(member, index)));
  const parts: unknown[] = [];
  const answered: MemberName[] = [];
  const missing: MemberName[] = [];
  for (const [index, result] of results.entries()) {
    const member = members[index] as Member;
    if (result.status === "fulfilled") {
      parts.push(result.value);
      answered.push(member);
    } else if (result.reason instanceof MemberMissing) missing.push(member);
    else throw result.reason;
  }
  return { parts, answered, missing };
}

interface Arrived {
  readonly from: AsyncIterator<unknown>;
  readonly result?: IteratorResult<unknown>;
  readonly error?: unknown;
}

/**
 * The lines of several streams in the order in which they come. Each stream is at most one line ahead of the reader,
 * so a slow reader holds all of them.
 */
export async function* interleave(streams: readonly AsyncIterable<unknown>[]): AsyncIterableIterator<unknown> {
  const iterators = new Set(streams.map((stream) => stream[Symbol.asyncIterator]()));
  const arrived: Arrived[] = [];
  let wake = (): void => {};
  const read = (from: AsyncIterator<unknown>): void => {
    from
      .next()
      .then(
        (result) => arrived.push({ from, result }),
        (error: unknown) => arrived.push({ from, error }),
      )
      .finally(() => wake());
  };
  for (const iterator of iterators) read(iterator);
  try {
    while (iterators.size > 0) {
      const next = arrived.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (arrived.length > 0) resolve();
        });
        continue;
      }
      if (next.result === undefined) {
        iterators.delete(next.from);
        throw next.error;
      }
      if (next.result.done === true) iterators.delete(next.from);
      else {
        yield next.result.value;
        read(next.from);
      }
    }
  } finally {
    // Not waited for: a stream may be waiting for a line itself; the signal ends it.
    for (const iterator of iterators) void iterator.return?.().catch(() => {});
  }
}

/** The lines of a member until it is missing: then `missing` gets it, and the stream ends. */
export async function* linesUntilMissing(
  lines: AsyncIterable<unknown>,
  whenMissing: () => void,
): AsyncIterableIterator<unknown> {
  try {
    yield* lines;
  } catch (error) {
    if (!(error instanceof MemberMissing)) throw error;
    whenMissing();
  }
}
