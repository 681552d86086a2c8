// Questions of the supervisor to this worker: the worker's side. Of a stream one piece is made each time that the
// supervisor asks for one.
import type { AnswerFromWorker, QuestionToWorker } from "./messages.ts";

/** Values in one piece of a stream, and about how many characters they may have. */
const MOST_VALUES = 256;
const MOST_CHARACTERS = 256 * 1024;

/** What a worker can be asked; the questions and answers are whatever can be cloned. */
export interface Answering {
  /** A rejection is passed on with its message. */
  answer?(question: unknown, signal: AbortSignal): Promise<unknown>;
  /** The signal says that nobody reads on. */
  stream?(question: unknown, signal: AbortSignal): AsyncIterable<unknown>;
}

interface Stream {
  readonly values: AsyncIterator<unknown>;
  readonly abort: AbortController;
  /** Was asked for and did not come in time for its piece. */
  next: Promise<IteratorResult<unknown>> | undefined;
}

export class Answers {
  readonly #answering: () => Answering | undefined;
  readonly #tell: (message: AnswerFromWorker) => void;
  readonly #describe: (error: unknown) => string;
  readonly #streams = new Map<number, Stream>();
  readonly #aborts = new Map<number, AbortController>();

  constructor(
    answering: () => Answering | undefined,
    tell: (message: AnswerFromWorker) => void,
    describe: (error: unknown) => string,
  ) {
    this.#answering = answering;
    this.#tell = tell;
    this.#describe = describe;
  }

  heard(message: QuestionToWorker): void {
    const { id } = message;
    const work =
      message.kind === "cancel"
        ? this.#cancel(id)
        : message.kind === "more"
          ? this.#piece(id)
          : message.streams
            ? this.#open(id, message.question)
            : this.#answer(id, message.question);
    work.catch((error: unknown) => {
      this.#forget(id);
      this.#tell({ kind: "unanswered", id, line: this.#describe(error) });
    });
  }

  async #answer(id: number, question: unknown): Promise<void> {
    const answering = this.#answering();
    if (answering?.answer === undefined) throw new Error("this worker answers no questions");
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    const value = await answering.answer(question, abort.signal);
    this.#aborts.delete(id);
    this.#tell({ kind: "answer", id, value });
  }

  async #open(id: number, question: unknown): Promise<void> {
    const answering = this.#answering();
    if (answering?.stream === undefined) throw new Error("this worker answers no questions");
    const abort = new AbortController();
    const values = answering.stream(question, abort.signal)[Symbol.asyncIterator]();
    this.#streams.set(id, { values, abort, next: undefined });
    await this.#piece(id);
  }

  /** Waits for one value, and takes what comes with it in the same turn. */
  async #piece(id: number): Promise<void> {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const values: unknown[] = [];
    let characters = 0;
    let isLast = false;
    while (values.length < MOST_VALUES && characters < MOST_CHARACTERS) {
      stream.next ??= stream.values.next();
      const result = await (values.length === 0 ? stream.next : Promise.race([stream.next, thisTurn()]));
      if (result === undefined) break;
      stream.next = undefined;
      isLast = result.done === true;
      if (isLast) break;
      values.push(result.value);
      characters += sizeOf(result.value);
    }
    if (isLast) this.#streams.delete(id);
    this.#tell({ kind: "piece", id, values, isLast });
  }

  async #cancel(id: number): Promise<void> {
    const stream = this.#streams.get(id);
    this.#forget(id);
    await stream?.values.return?.();
  }

  #forget(id: number): void {
    this.#streams.get(id)?.abort.abort();
    this.#streams.delete(id);
    this.#aborts.get(id)?.abort();
    this.#aborts.delete(id);
  }
}

function thisTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}

/** About: the texts of a value decide, to some depth. */
function sizeOf(value: unknown, depth: number = 3): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null || depth === 0) return 8;
  return Object.values(value).reduce<number>((size, one) => size + sizeOf(one, depth - 1), 8);
}
