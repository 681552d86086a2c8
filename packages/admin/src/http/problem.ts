// Errors as `application/problem+json` (RFC 9457), with a stable code, the field and what was expected.
import { STATUS_CODES } from "node:http";
import type { AdminError } from "../admin-error.ts";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly field?: string;
  readonly expected?: string;
}

export function problemOf(error: AdminError): Problem {
  const { code, status, message, field, expected } = error;
  return {
    type: `urn:wrenmq:admin:${code}`,
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail: message,
    code,
    ...(field === undefined || field === "" ? {} : { field }),
    ...(expected === undefined ? {} : { expected }),
  };
}
