// The live numbers: one stream for the whole page, which is opened again when it ends. Its state says whether the broker
// can be reached.

import { addSamples, type Sample } from "../pure/rates.ts";
import { Store } from "../pure/store.ts";
import { isUnreachable, stream } from "./commands.ts";

export type FeedState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "lost"; readonly since: number; readonly nextTry: number };

const SHORTEST_PAUSE = 1_000;
const LONGEST_PAUSE = 10_000;

export const samples: Store<readonly Sample[]> = new Store<readonly Sample[]>([]);
export const feedState: Store<FeedState> = new Store<FeedState>({ kind: "connecting" });

/** Begins to read. @returns ends it */
export function startFeed(): () => void {
  const end = new AbortController();
  void readForEver(end.signal);
  return () => {
    end.abort();
    samples.set([]);
    feedState.set({ kind: "connecting" });
  };
}

async function readForEver(signal: AbortSignal): Promise<void> {
  let pause = SHORTEST_PAUSE;
  let since: number | undefined;
  while (!signal.aborted) {
    if (document.hidden) await shownAgain(signal);
    // A browser has few connections to the broker for all its pages together: one that nobody sees does without. What it
    // misses comes with the history.
    const own = whileShown(signal);
    try {
      await stream(
        "stats.watch",
        { seconds: 1, history: true },
        {
          signal: own.signal,
          opened: () => {
            since = undefined;
            pause = SHORTEST_PAUSE;
            feedState.set({ kind: "live" });
          },
          lines: (batch) => samples.set(addSamples(samples.value, batch as Sample[])),
        },
      );
    } catch (error) {
      if (signal.aborted) return;
      if (!own.signal.aborted && !isUnreachable(error)) pause = LONGEST_PAUSE;
    } finally {
      own.end();
    }
    if (signal.aborted) return;
    if (own.signal.aborted) continue;
    since ??= Date.now();
    feedState.set({ kind: "lost", since, nextTry: Date.now() + pause });
    await delay(pause, signal);
    pause = Math.min(LONGEST_PAUSE, pause * 1.5);
  }
}

/** Aborted when the page is hidden, or when `outer` is. */
function whileShown(outer: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const look = (): void => {
    if (document.hidden || outer.aborted) controller.abort();
  };
  document.addEventListener("visibilitychange", look);
  outer.addEventListener("abort", look);
  look();
  return {
    signal: controller.signal,
    end: () => {
      document.removeEventListener("visibilitychange", look);
      outer.removeEventListener("abort", look);
    },
  };
}

function shownAgain(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      signal.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
  });
}

function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
