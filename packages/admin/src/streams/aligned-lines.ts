// Joins the lines of several streams that have the same time. A stream that has no line in time is left out, and the line
// says so; it is waited for again when it has one.
import type { MemberName } from "../define-command.ts";

/** Milliseconds that the line of a stream may be later than the first one: a member begins with the next full second. */
const GRACE = 1_500;

interface Timed {
  readonly at: number;
  readonly incomplete?: string[] | undefined;
}

export interface Alignment<Line> {
  /** Of the streams, in their order. */
  readonly names: readonly MemberName[];
  /** Members without a stream. */
  readonly missing: readonly MemberName[];
  readonly signal: AbortSignal;
  merge(lines: readonly [Line, ...Line[]]): Line;
}

class Head<Line> {
  readonly name: string;
  readonly lines: AsyncIterator<Line>;
  line: Line | undefined = undefined;
  error: unknown = undefined;
  isOver: boolean = false;
  /** It was not there in time. */
  isLate: boolean = false;
  #isReading = false;
  readonly #wake: () => void;

  constructor(name: string, lines: AsyncIterator<Line>, wake: () => void) {
    this.name = name;
    this.lines = lines;
    this.#wake = wake;
  }

  get isAwaited(): boolean {
    return this.line === undefined && !this.isOver;
  }

  read(): void {
    if (this.#isReading || !this.isAwaited) return;
    this.#isReading = true;
    this.lines
      .next()
      .then(
        (result) => {
          if (result.done === true) this.isOver = true;
          else this.line = result.value;
        },
        (error: unknown) => {
          this.isOver = true;
          this.error = error;
        },
      )
      .finally(() => {
        this.#isReading = false;
        this.#wake();
      });
  }
}

export async function* alignedLines<Line extends Timed>(
  streams: readonly AsyncIterable<Line>[],
  { names, missing, signal, merge }: Alignment<Line>,
): AsyncIterableIterator<Line> {
  let wake = (): void => {};
  const heads = streams.map(
    (stream, index) => new Head(names[index]?.name ?? "", stream[Symbol.asyncIterator](), () => wake()),
  );
  const absent = missing.map(({ name }) => name);
  let last = Number.NEGATIVE_INFINITY;
  /** Resolves at the next line or end of a stream, and after a time. */
  const woken = (milliseconds: number | undefined): Promise<void> =>
    new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(done, milliseconds);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
      wake = done;
      signal.addEventListener("abort", done, { once: true });
    });
  const refresh = (): void => {
    for (const head of heads) {
      if (head.line !== undefined) head.isLate = false;
      // It has come too late.
      if (head.line !== undefined && head.line.at <= last) head.line = undefined;
      head.read();
    }
  };
  try {
    while (!signal.aborted) {
      refresh();
      let until: number | undefined;
      while (!signal.aborted && heads.some((head) => head.isAwaited && !head.isLate)) {
        if (heads.some(({ line }) => line !== undefined)) until ??= performance.now() + GRACE;
        const rest = until === undefined ? undefined : until - performance.now();
        if (rest !== undefined && rest <= 0) {
          for (const head of heads) if (head.isAwaited) head.isLate = true;
          break;
        }
        await woken(rest);
        refresh();
      }
      const failed = heads.find(({ error }) => error !== undefined);
      if (failed !== undefined) throw failed.error;
      const at = Math.min(...heads.flatMap(({ line }) => line?.at ?? []));
      if (!Number.isFinite(at)) {
        if (heads.every(({ isOver }) => isOver)) return;
        // Only late ones are left.
        if (heads.every((head) => !head.isAwaited || head.isLate)) await woken(undefined);
        continue;
      }
      const lines: Line[] = [];
      const without = [...absent];
      for (const head of heads) {
        if (head.line?.at === at) {
          lines.push(head.line);
          head.line = undefined;
        } else without.push(head.name);
      }
      last = at;
      const merged = merge(lines as [Line, ...Line[]]);
      yield without.length === 0 ? merged : { ...merged, incomplete: without };
    }
  } finally {
    // Not waited for: a stream may be waiting for a line itself; the signal ends it.
    for (const { lines } of heads) void lines.return?.().catch(() => {});
  }
}
