// Errors of the embedder, the operator or the machine: stable codes, each with an entry in docs/errors.md.

export type BrokerErrorCode =
  | "ERR_BROKER_CONFIG"
  | "ERR_BROKER_STATE"
  | "ERR_LISTENER_UNKNOWN"
  | "ERR_PLUGIN_START"
  | "ERR_STORE_OPEN"
  | "ERR_TOPIC_INVALID";

export class BrokerError extends Error {
  override readonly name: string = "BrokerError";
  readonly code: BrokerErrorCode;
  /** The option that is wrong: `listeners.local.port`. Undefined: the error is not about an option. */
  readonly option: string | undefined;
  constructor(code: BrokerErrorCode, message: string, options?: { cause?: unknown; option?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.option = options?.option;
  }
}
