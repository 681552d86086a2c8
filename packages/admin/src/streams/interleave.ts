// Reads several streams as one.

interface Arrived<Line> {
  readonly from: AsyncIterator<Line>;
  readonly result?: IteratorResult<Line>;
  readonly error?: unknown;
}

/**
 * The lines of several streams in the order in which they come. Each stream is at most one line ahead of the reader,
 * so a slow reader holds all of them.
 */
export async function* interleave<Line>(streams: readonly AsyncIterable<Line>[]): AsyncIterableIterator<Line> {
  const iterators = new Set(streams.map((stream) => stream[Symbol.asyncIterator]()));
  const arrived: Arrived<Line>[] = [];
  let wake = (): void => {};
  const read = (from: AsyncIterator<Line>): void => {
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
