// An operator who looks at the messages that clients, plugins and the server publish at this broker. It is no
// subscriber: it changes neither acknowledgements nor `$SYS`, and access rules do not apply to it. What other brokers
// forward is seen where it was published.
import type { StoredMessage } from "@wrenmq/protocol";

export class MessageWatch {
  /** The message is valid during the call only. */
  readonly callback: (message: StoredMessage) => void;

  constructor(callback: (message: StoredMessage) => void) {
    this.callback = callback;
  }
}

export function callWatches(
  watches: readonly MessageWatch[],
  message: StoredMessage,
  defect: (error: unknown) => void,
): void {
  for (const watch of watches) {
    try {
      watch.callback(message);
    } catch (error) {
      defect(error);
    }
  }
}
