// Errors of the bus: a peer that breaks its protocol, or cannot be reached.

export type ClusterErrorCode =
  | "ERR_CLUSTER_FRAME"
  | "ERR_CLUSTER_PEER"
  | "ERR_CLUSTER_LISTEN"
  | "ERR_CLUSTER_JOIN"
  | "ERR_CLUSTER_NATS"
  | "ERR_CLUSTER_REQUEST";

export class ClusterError extends Error {
  override readonly name: string = "ClusterError";
  readonly code: ClusterErrorCode;
  constructor(code: ClusterErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function malformed(what: string): ClusterError {
  return new ClusterError("ERR_CLUSTER_FRAME", `malformed frame: ${what}`);
}
