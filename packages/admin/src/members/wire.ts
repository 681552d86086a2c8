// Questions to members in other processes, and their replies. Errors cross as values.
import { AdminError, type AdminErrorCode } from "../admin-error.ts";

export interface Question {
  readonly command: string;
  readonly input: unknown;
}

interface WireError {
  readonly code: AdminErrorCode;
  readonly message: string;
  readonly field: string | undefined;
  readonly expected: string | undefined;
  readonly retryAfter: number | undefined;
}

export type Reply = { readonly value: unknown } | { readonly error: WireError };

export function wireError({ code, message, field, expected, retryAfter }: AdminError): WireError {
  return { code, message, field, expected, retryAfter };
}

/** @throws AdminError */
export function valueIn(answer: Reply): unknown {
  if (!("error" in answer)) return answer.value;
  const { code, message, ...details } = answer.error;
  const given = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
  throw new AdminError(code, message, given);
}
