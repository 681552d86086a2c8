// Errors of commands: a stable code, the field that is wrong and what was expected there; the same on every interface.
import type { z } from "zod";

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

/** Characters of the name of a field: those of unknown ones are the caller's. */
const LONGEST_NAME = 200;

export function invalidInput(error: z.ZodError): AdminError {
  const [first] = error.issues;
  if (first === undefined) return new AdminError("invalid_input", "the input is wrong");
  const unknown = first.code === "unrecognized_keys" ? first.keys[0] : undefined;
  const field = [...first.path.map(String), ...(unknown === undefined ? [] : [unknown])]
    .join(".")
    .slice(0, LONGEST_NAME);
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : "";
  const expected = unknown === undefined ? first.message : "no such field";
  return new AdminError("invalid_input", `${field === "" ? "the input" : field}: ${expected}${more}`, {
    field,
    expected,
  });
}

export function asAdminError(error: unknown): AdminError {
  if (error instanceof AdminError) return error;
  if (error instanceof Error && "code" in error) {
    if (error.code === "ERR_TOPIC_INVALID") return new AdminError("invalid_input", error.message, { field: "topic" });
    if (error.code === "ERR_BROKER_STATE") return new AdminError("unavailable", error.message, { cause: error });
    if (error.code === "ERR_CLUSTER_REQUEST") return new AdminError("conflict", error.message, { cause: error });
    if (error.code === "ERR_CLUSTER_NATS") return new AdminError("unavailable", error.message, { cause: error });
    if (error.code === "ERR_CONFIG") return new AdminError("conflict", error.message, { cause: error });
  }
  return new AdminError("internal", "the command failed: the log has the reason", { cause: error });
}
