// Joins the lines of several streams in the order of their times. The order within a stream stays. A line waits until no
// other stream can have an earlier one: until each has a line, is over, or has been silent for a moment.

/** Milliseconds that a line waits for a stream that says nothing. */
const GRACE = 3_000;
/** Lines of each stream that are held. */
const MOST_HELD = 1_000;

interface Held<Line> {
  readonly line: Line;
  readonly arrived: number;
}

class Source<Line> {
  readonly lines: AsyncIterator<Line>;
  readonly held: Held<Line>[] = [];
  isOver: boolean = false;
  error: unknown = undefined;
  #isReading = false;
  readonly #wake: () => void;

  constructor(lines: AsyncIterator<Line>, wake: () => void) {
    this.lines = lines;
    this.#wake = wake;
  }

  read(): void {
    if (this.#isReading || this.isOver || this.held.length >= MOST_HELD) return;
    this.#isReading = true;
    this.lines.next().then(
      (result) => {
        if (result.done === true) this.isOver = true;
        else this.held.push({ line: result.value, arrived: performance.now() });
        this.#isReading = false;
        this.read();
        this.#wake();
      },
      (error: unknown) => {
        this.isOver = true;
        this.error = error;
        this.#wake();
      },
    );
  }
}

/**
 * @param compare negative: the first line comes before the second one
 * @param grace milliseconds that a line waits for a stream that says nothing
 */
export async function* orderedLines<Line>(
  streams: readonly AsyncIterable<Line>[],
  compare: (one: Line, other: Line) => number,
  grace: number = GRACE,
): AsyncIterableIterator<Line> {
  let wake = (): void => {};
  const sources = streams.map((stream) => new Source(stream[Symbol.asyncIterator](), () => wake()));
  const woken = (milliseconds: number | undefined): Promise<void> =>
    new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  try {
    for (;;) {
      for (const source of sources) source.read();
      const failed = sources.find(({ error }) => error !== undefined);
      if (failed !== undefined) throw failed.error;
      const first = firstOf(sources, compare);
      if (first === undefined) {
        if (sources.every(({ isOver }) => isOver)) return;
        await woken(undefined);
        continue;
      }
      const { held } = first;
      const isSilent = sources.some((source) => source.held.length === 0 && !source.isOver);
      const wait = isSilent && held.length < MOST_HELD ? (held[0]?.arrived ?? 0) + grace - performance.now() : 0;
      if (wait > 0) {
        await woken(wait);
        continue;
      }
      yield (held.shift() as Held<Line>).line;
    }
  } finally {
    // Not waited for: a stream may be waiting for a line itself; the signal ends it.
    for (const { lines } of sources) void lines.return?.().catch(() => {});
  }
}

/** The source with the earliest line; of the same time the first one. */
function firstOf<Line>(
  sources: readonly Source<Line>[],
  compare: (one: Line, other: Line) => number,
): Source<Line> | undefined {
  let first: Source<Line> | undefined;
  for (const source of sources) {
    const [mine] = source.held;
    const best = first?.held[0];
    if (mine !== undefined && (best === undefined || compare(mine.line, best.line) < 0)) first = source;
  }
  return first;
}
