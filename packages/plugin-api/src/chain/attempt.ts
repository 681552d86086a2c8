// One call of an `authenticate` hook that may take time: tells the plugin whether the answer is still needed, and stops
// the time limit while the work waits in a queue of the plugin.

/** The part of `AbortSignal` that is used where neither the DOM's nor Node's types are known. */
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
  /** Aborted when the answer is not needed any more: the client has disconnected, or the time limit is over. */
  readonly signal: AttemptSignal;
  /**
   * Call it while the work waits in a queue of the plugin: the time limit stops, and begins anew when the returned
   * function is called. Such a queue needs a bound; a client that finds it full is refused at once.
   */
  wait(): () => void;
}

/** Registers a function to be called when the client has disconnected. */
export type WhenGone = (listener: () => void) => void;

declare const AbortController: new () => { readonly signal: AttemptSignal; abort(): void };

/** The timer of the time limit, as the guard implements it. */
export interface Stopwatch {
  start(): void;
  stop(): void;
}

export class PendingAttempt implements Attempt {
  #controller: { readonly signal: AttemptSignal; abort(): void } | undefined;
  #watch: Stopwatch | undefined;
  #waits = 0;
  #whenAbandoned: (() => void) | undefined;
  /** The answer is not needed any more. */
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

  /** The hook has returned a promise: the time limit begins, unless the work waits. */
  time(watch: Stopwatch, whenAbandoned: () => void): void {
    this.#watch = watch;
    this.#whenAbandoned = whenAbandoned;
    if (this.#waits === 0) watch.start();
  }

  /** The answer has come, or is ignored from now on. */
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
