// The error that a broker has answered with, or that no broker can be reached.

/** `code` is the broker's (see `AdminErrorCode`), or `unreachable`. */
export class RemoteProblem extends Error {
  override readonly name: string = "RemoteProblem";
  readonly code: string;
  readonly field: string | undefined;

  constructor(code: string, message: string, field?: string) {
    super(message);
    this.code = code;
    this.field = field;
  }
}
