// Describes a failed handshake in one line for the operator: with which client, and what was wrong.
import { nameOf } from "./client-name.ts";
import { ListenerError, systemCode } from "./errors.ts";

/** @param client the address of the client, or "" */
export function handshakeError(
  kind: "TLS" | "WebSocket",
  client: string,
  why: string | (Error & { readonly reason?: unknown }),
): ListenerError {
  const text = `${kind} handshake with ${nameOf(client)} failed: ${typeof why === "string" ? why : reasonOf(why)}`;
  return new ListenerError("ERR_LISTENER_HANDSHAKE", text, typeof why === "string" ? undefined : why);
}

export const HAS_LEFT = "the client has left";

const LEFT = new Set([
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ERR_SSL_UNEXPECTED_EOF_WHILE_READING",
  "HPE_INVALID_EOF_STATE",
]);

/** Did the client just disconnect, as health checks and port scans do? Looks at `error` and at its cause. */
export function clientHasLeft(error: Error): boolean {
  return LEFT.has(systemCode(error)) || LEFT.has(systemCode(error.cause));
}

/** Plain words for messages of Node and OpenSSL. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_TLS_HANDSHAKE_TIMEOUT: "not done in time",
  ERR_SSL_WRONG_VERSION_NUMBER: "the client does not speak TLS",
  ERR_SSL_HTTP_REQUEST: "the client speaks HTTP without TLS",
};

/** OpenSSL's message is `8017…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…:350:`. */
function reasonOf(cause: Error & { readonly reason?: unknown }): string {
  if (clientHasLeft(cause)) return HAS_LEFT;
  return REASONS[systemCode(cause)] ?? (typeof cause.reason === "string" ? cause.reason : cause.message.trim());
}
