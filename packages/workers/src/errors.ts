// Errors of workers and their data. The message is one line for the operator.

export type WorkersErrorCode =
  | "ERR_WORKERS_OPTIONS"
  | "ERR_WORKERS_START"
  | "ERR_WORKERS_CHANGE"
  | "ERR_WORKERS_ANSWER"
  | "ERR_WORKERS_DATA";

export class WorkersError extends Error {
  override readonly name: string = "WorkersError";
  readonly code: WorkersErrorCode;
  constructor(code: WorkersErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
