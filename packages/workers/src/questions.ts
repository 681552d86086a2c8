// Questions of the supervisor to one worker: the supervisor's side. An answer is one value, or a stream that the
// supervisor asks for piece by piece, so that a slow reader holds the worker and not the memory. All that is open fails
// when the worker ends.
import { WorkersError } from "./errors.ts";
import type { AnswerFromWorker, QuestionToWorker } from "./messages.ts";

interface Open {
  resolve(message: AnswerFromWorker): void;
  reject(error: WorkersError): void;
}

export class Questions {
  readonly #worker: number;
  readonly #tell: (message: QuestionToWorker) => boolean;
  readonly #open = new Map<number, Open>();
  #last = 0;

  /** @param tell returns false: the worker is not ready */
  constructor(worker: number, tell: (message: QuestionToWorker) => boolean) {
    this.#worker = worker;
    this.#tell = tell;
  }

  /** @throws WorkersError ERR_WORKERS_ANSWER, the signal's reason */
  async ask(question: unknown, signal?: AbortSignal): Promise<unknown> {
    const id = ++this.#last;
    const answer = await this.#exchange({ kind: "ask", id, question, streams: false }, signal);
    return answer.kind === "answer" ? answer.value : undefined;
  }

  /** @throws WorkersError ERR_WORKERS_ANSWER, the signal's reason */
  async *stream(question: unknown, signal?: AbortSignal): AsyncIterableIterator<unknown> {
    const id = ++this.#last;
    let isOver = false;
    try {
      let message: QuestionToWorker = { kind: "ask", id, question, streams: true };
      while (!isOver) {
        const answer = await this.#exchange(message, signal);
        if (answer.kind !== "piece") return;
        isOver = answer.isLast;
        yield* answer.values;
        message = { kind: "more", id };
      }
    } catch (error) {
      isOver = error instanceof WorkersError;
      throw error;
    } finally {
      if (!isOver) this.#tell({ kind: "cancel", id });
    }
  }

  heard(message: AnswerFromWorker): void {
    const open = this.#open.get(message.id);
    if (open === undefined) return; // nobody waits any more
    if (message.kind === "unanswered") open.reject(new WorkersError("ERR_WORKERS_ANSWER", message.line));
    else open.resolve(message);
  }

  /** The worker has ended. */
  gone(): void {
    const error = new WorkersError("ERR_WORKERS_ANSWER", `worker ${this.#worker} ended before it answered`);
    for (const { reject } of [...this.#open.values()]) reject(error);
  }

  #exchange(message: QuestionToWorker, signal: AbortSignal | undefined): Promise<AnswerFromWorker> {
    const { id } = message;
    return new Promise<AnswerFromWorker>((resolve, reject) => {
      const settle = (end: () => void): void => {
        this.#open.delete(id);
        signal?.removeEventListener("abort", aborted);
        end();
      };
      const aborted = (): void => {
        settle(() => reject(signal?.reason as Error));
        if (message.kind === "ask" && !message.streams) this.#tell({ kind: "cancel", id });
      };
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      this.#open.set(id, {
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      });
      signal?.addEventListener("abort", aborted, { once: true });
      if (this.#tell(message)) return;
      settle(() => reject(new WorkersError("ERR_WORKERS_ANSWER", `worker ${this.#worker} is not ready`)));
    });
  }
}
