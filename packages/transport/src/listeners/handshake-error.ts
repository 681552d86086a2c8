// A handshake that came to nothing, in one line: with whom, and what is wrong in words for who runs the listener.
import { ListenerError, systemCode } from "../errors.ts";

/** @param client its address, or "" */
export function handshakeError(
  kind: "TLS" | "WebSocket",
  client: string,
  why: string | (Error & { readonly reason?: unknown }),
): ListenerError {
  const whom = client === "" ? "a client that has left" : client;
  const text = `${kind} handshake with ${whom} failed: ${typeof why === "string" ? why : reasonOf(why)}`;
  return new ListenerError("ERR_LISTENER_HANDSHAKE", text, typeof why === "string" ? undefined : why);
}

/** Where the words of Node and OpenSSL are not ours. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNRESET: "the client has left",
  ERR_TLS_HANDSHAKE_TIMEOUT: "not done in time",
  ERR_SSL_WRONG_VERSION_NUMBER: "the client does not speak TLS",
  ERR_SSL_HTTP_REQUEST: "the client speaks HTTP without TLS",
};

/** OpenSSL's message is `8017…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…:350:`. */
function reasonOf(cause: Error & { readonly reason?: unknown }): string {
  return REASONS[systemCode(cause)] ?? (typeof cause.reason === "string" ? cause.reason : cause.message.trim());
}
