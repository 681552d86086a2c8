// Errors of commands: a stable code, the field that is wrong and what was expected there; the same on every interface.

/**
 * - `invalid_input`: a field is missing, unknown or of the wrong form
 * - `not_found`: there is no such client, session, message, ban or command
 * - `unauthorized`: no token, or one that does not count
 * - `forbidden`: the token's role does not reach so far, or the request comes from where none may come
 * - `not_acceptable`: method or content type do not fit the command
 * - `too_large`: the body is longer than 1 MiB
 * - `too_many_requests`: more than may be asked in this time
 * - `conflict`: it cannot be done in the present state
 * - `unavailable`: the broker has not started, or cannot do it here
 * - `internal`: a defect; the log has it
 */
export type AdminErrorCode = keyof typeof STATUS;

const STATUS = {
  invalid_input: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  not_acceptable: 405,
  conflict: 409,
  too_large: 413,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
} as const;

export interface AdminErrorDetails {
  /** The field of the input, as `a.b`. */
  readonly field?: string;
  readonly expected?: string;
  /** Seconds after which another try may succeed; undefined: trying again does not help. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

export class AdminError extends Error {
  override readonly name: string = "AdminError";
  readonly code: AdminErrorCode;
  readonly field: string | undefined;
  readonly expected: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: AdminErrorCode, message: string, details: AdminErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.field = details.field;
    this.expected = details.expected;
    this.retryAfter = details.retryAfter;
  }

  /** The HTTP status code. */
  get status(): number {
    return STATUS[this.code];
  }
}
