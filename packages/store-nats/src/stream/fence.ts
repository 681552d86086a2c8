// Appends messages to a stream one after the other, each with the number that the one before it has: so nothing gets in
// between, and who is not the last owner any more is refused. An attempt whose outcome is unknown is no reason to
// doubt: the stream is asked whether the message is there, and if it is not the message is sent again.
import type { Clock } from "../clock.ts";
import type { JournalStream } from "./journal-stream.ts";
import type { Trouble } from "./trouble.ts";

/** Milliseconds before the stream is asked again. */
const PAUSE = 200;

/** `refused`: another owner's message has the number; with it, where it is still there. */
export type Outcome = { readonly is: "appended" } | { readonly is: "refused"; readonly by: Uint8Array | undefined };

/** Nothing is appended any more. */
export class Stopped extends Error {
  override readonly name: string = "Stopped";
}

export class Fence {
  /** Of the last message that this owner knows to be there. */
  last = 0;
  readonly #stream: JournalStream;
  readonly #clock: Clock;
  readonly #trouble: Trouble;
  #isStopped = false;
  #wake: (() => void) | undefined;

  constructor(stream: JournalStream, clock: Clock, trouble: Trouble) {
    this.#stream = stream;
    this.#clock = clock;
    this.#trouble = trouble;
  }

  /**
   * Tries until the stream has the message or refuses it.
   * @throws Stopped
   */
  append(message: Uint8Array): Promise<Outcome> {
    let isUnknown = false;
    return this.retry(async () => {
      const known = isUnknown ? await this.#look(message) : undefined;
      if (known !== undefined) return known;
      isUnknown = true;
      const appended = await this.#stream.append(message, this.last);
      if ("sequence" in appended && appended.sequence === this.last + 1) return this.#isThere();
      return this.#look(message);
    });
  }

  /**
   * Does something until it has an outcome, with a pause after each attempt that has none.
   * @throws Stopped, and errors that are hopeless
   */
  async retry<T>(attempt: () => Promise<T | undefined>, isHopeless?: (error: unknown) => boolean): Promise<T> {
    for (;;) {
      if (this.#isStopped) throw new Stopped();
      try {
        const outcome = await attempt();
        if (outcome !== undefined) {
          this.#trouble.isOver();
          return outcome;
        }
      } catch (error) {
        if (isHopeless?.(error) === true) throw error;
        if (!this.#isStopped) this.#trouble.occurred(error);
      }
      await this.#pause();
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  /** @returns undefined: no message has that number yet */
  async #look(message: Uint8Array): Promise<Outcome | undefined> {
    const next = this.last + 1;
    let there = await this.#stream.message(next);
    if (there === undefined) {
      const { last } = await this.#stream.state();
      if (last < this.last) {
        const lost = `messages ${last + 1} to ${this.last} of stream ${this.#stream.name} were acknowledged, and are lost`;
        throw new Error(lost);
      }
      if (last < next) return undefined;
      // It came in between, or a later owner has removed it.
      there = await this.#stream.message(next);
    }
    if (there !== undefined && Buffer.compare(there, message) === 0) return this.#isThere();
    return { is: "refused", by: there };
  }

  #isThere(): Outcome {
    this.last++;
    return { is: "appended" };
  }

  async #pause(): Promise<void> {
    if (this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.at(this.#clock.now() + PAUSE, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
