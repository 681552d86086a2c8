// An operator who looks at the messages that clients, plugins and the server publish at this broker. It is no
// subscriber: it changes neither acknowledgements nor `$SYS`, and access rules do not apply to it. What other brokers
// forward is seen where it was published.
import type { StoredMessage } from "@wrenmq/protocol";

export class MessageWatch {
  /** The message is valid during the call only. */
  readonly tell: (message: StoredMessage) => void;

  constructor(tell: (message: StoredMessage) => void) {
    this.tell = tell;
  }
}

export function tellWatches(
  watches: readonly MessageWatch[],
  message: StoredMessage,
  defect: (error: unknown) => void,
): void {
  for (const watch of watches) {
    try {
      watch.tell(message);
    } catch (error) {
      defect(error);
    }
  }
}
