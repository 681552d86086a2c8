// What an `authenticate` hook that takes its time needs to know of whoever waits for its answer: whether anybody still
// does, and how to say that the work has not begun yet.

/** What `AbortSignal` is where neither the DOM's nor Node's types are known. */
interface AnySignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The platform's `AbortSignal`. */
export type AttemptSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal extends AnySignal } }
  ? Signal
  : AnySignal;

export interface Attempt {
  /** Aborted when nobody waits for the answer any more: the client has gone, or the time limit is over. */
  readonly signal: AttemptSignal;
  /**
   * The work has to wait in a queue of the plugin: the time limit stops, and begins anew when the returned function is
   * called. Such a queue needs a bound of its own; who finds it full is refused at once.
   */
  wait(): () => void;
}

/** Registers what is to be called when the client has gone. */
export type WhenGone = (listener: () => void) => void;

declare const AbortController: new () => { readonly signal: AttemptSignal; abort(): void };

/** The clock of the time limit, as the guard runs it. */
export interface Stopwatch {
  start(): void;
  stop(): void;
}

export class PendingAttempt implements Attempt {
  #controller: { readonly signal: AttemptSignal; abort(): void } | undefined;
  #watch: Stopwatch | undefined;
  #waits = 0;
  #whenAbandoned: (() => void) | undefined;
  /** Nobody waits for the answer any more. */
  abandoned = false;

  get signal(): AttemptSignal {
    this.#controller ??= new AbortController();
    if (this.abandoned) this.#controller.abort();
    return this.#controller.signal;
  }

  wait(): () => void {
    this.#waits++;
    this.#watch?.stop();
    let isWaiting = true;
    return () => {
      if (!isWaiting) return;
      isWaiting = false;
      this.#waits--;
      if (this.#waits === 0) this.#watch?.start();
    };
  }

  /** The hook has answered with a promise: from now on its time counts, unless it waits. */
  time(watch: Stopwatch, whenAbandoned: () => void): void {
    this.#watch = watch;
    this.#whenAbandoned = whenAbandoned;
    if (this.#waits === 0) watch.start();
  }

  /** The answer has come, or counts no more. */
  end(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#whenAbandoned = undefined;
  }

  abandon(): void {
    if (this.abandoned) return;
    this.abandoned = true;
    this.#controller?.abort();
    this.#whenAbandoned?.();
  }
}
