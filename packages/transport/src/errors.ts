// Errors of listeners. An error of one connection is the argument of `closed()`.

export type ListenerErrorCode =
  | "ERR_LISTENER_IN_USE"
  | "ERR_LISTENER_ADDRESS"
  | "ERR_LISTENER_PERMISSION"
  | "ERR_LISTENER_TLS"
  | "ERR_LISTENER_FILE"
  | "ERR_LISTENER_CONFIG"
  | "ERR_LISTENER_HANDSHAKE"
  | "ERR_LISTENER_CERTIFICATE"
  | "ERR_LISTENER_PROXY"
  | "ERR_LISTENER_ACCEPT"
  | "ERR_LISTENER_FAILED";

/** Error of a listener. `message` is one line for the operator; `cause` is the error of the system. */
export class ListenerError extends Error {
  override readonly name = "ListenerError";
  readonly code: ListenerErrorCode;
  /**
   * The option that is wrong (`tls.ca[0]`); the message begins with it. Undefined: the error is not about an option.
   */
  readonly key: string | undefined;
  /** The message without the key. */
  readonly reason: string;

  constructor(code: ListenerErrorCode, reason: string, cause?: unknown, key?: string) {
    super(key === undefined ? reason : `${key}: ${reason}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.key = key;
    this.reason = reason;
  }
}

/** The system's code of an error (`EADDRINUSE`), or "". */
export function systemCode(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Makes one clear line of the error that `server.listen()` reported. `address` is printable. */
export function bindError(address: string, cause: unknown): ListenerError {
  if (cause instanceof ListenerError) return cause;
  const code = systemCode(cause);
  switch (code) {
    case "EADDRINUSE":
      return new ListenerError("ERR_LISTENER_IN_USE", `${address}: another process listens there already`, cause);
    case "EACCES":
    case "EPERM":
      return new ListenerError("ERR_LISTENER_PERMISSION", `${address}: no permission to listen there`, cause);
    case "EADDRNOTAVAIL":
      return new ListenerError("ERR_LISTENER_ADDRESS", `${address}: this machine has no such address`, cause);
    case "EAFNOSUPPORT":
      return new ListenerError("ERR_LISTENER_ADDRESS", `${address}: this machine has no such address family`, cause);
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NONAME":
      return new ListenerError("ERR_LISTENER_ADDRESS", `${address}: the host name cannot be resolved`, cause);
    case "ENOENT":
    case "ENOTDIR":
      return new ListenerError("ERR_LISTENER_ADDRESS", `${address}: the directory does not exist`, cause);
    case "ERR_SOCKET_BAD_PORT":
      return new ListenerError("ERR_LISTENER_ADDRESS", `${address}: a port is a whole number from 0 to 65535`, cause);
    default:
      return new ListenerError("ERR_LISTENER_FAILED", `${address}: cannot listen: ${messageOf(cause)}`, cause);
  }
}
