// A decision about what a client asked for: a value, never an exception.
import { ReasonCode } from "@wrenmq/codec";

export interface Verdict {
  /** Below 0x80: allowed. */
  readonly reasonCode: ReasonCode;
  /** For people: sent as Reason String where the client wants it. Never a secret. */
  readonly reasonString?: string | undefined;
  /** Which plugin and which rule decided, for `explain` and the log; never sent. */
  readonly rule?: string | undefined;
}

export const ALLOWED: Verdict = { reasonCode: ReasonCode.Success };
export const DENIED: Verdict = { reasonCode: ReasonCode.NotAuthorized };

export function isAllowed(verdict: Verdict): boolean {
  return verdict.reasonCode < 0x80;
}
