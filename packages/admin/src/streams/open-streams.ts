// The streams that are being read: how many there may be, and their end when the reader goes or the administration is
// closed.
import { AdminError } from "../admin-error.ts";

const MOST_STREAMS = 32;

export class OpenStreams {
  readonly #open = new Set<() => void>();

  /**
   * @param outer the reader goes when it is aborted
   * @throws AdminError too_many_requests, and what `start` throws
   */
  open(start: (signal: AbortSignal) => AsyncIterable<unknown>, outer?: AbortSignal): AsyncIterable<unknown> {
    if (this.#open.size >= MOST_STREAMS) {
      throw new AdminError("too_many_requests", `${MOST_STREAMS} streams are open already`, { retryAfter: 10 });
    }
    const controller = new AbortController();
    const end = (): void => {
      this.#open.delete(end);
      outer?.removeEventListener("abort", end);
      controller.abort();
    };
    outer?.addEventListener("abort", end, { once: true });
    this.#open.add(end);
    if (outer?.aborted === true) {
      end();
      return nothing();
    }
    try {
      return untilEnd(start(controller.signal), end);
    } catch (error) {
      end();
      throw error;
    }
  }

  endAll(): void {
    for (const end of [...this.#open]) end();
  }
}

async function* nothing(): AsyncIterable<unknown> {}

async function* untilEnd(lines: AsyncIterable<unknown>, end: () => void): AsyncIterable<unknown> {
  try {
    yield* lines;
  } finally {
    end();
  }
}
