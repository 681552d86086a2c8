// What the other side said, or that there is none.

/** `code` is the server's (see `AdminErrorCode`), or `unreachable`. */
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
