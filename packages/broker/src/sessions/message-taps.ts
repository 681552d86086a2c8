// Who follows what happens to messages on their way to sessions, while operators trace. Without anybody nothing is called.
import type { DropSide } from "@wrenmq/plugin-api";
import type { DropReason, StoredMessage } from "@wrenmq/protocol";

export interface DeliveryFacts {
  readonly qos: number;
  /** The retain flag of the PUBLISH. */
  readonly retain: boolean;
  /** It waited in the session's queue. */
  readonly waited: boolean;
}

export interface QueueFacts {
  readonly qos: number;
  readonly retain: boolean;
  /** Of the session's queue, with this message. */
  readonly length: number;
}

/** Messages are valid during the call only. */
export interface MessageTap {
  /** A PUBLISH to this client is on its way. */
  delivered(clientId: string, message: StoredMessage, facts: DeliveryFacts): void;
  queued(clientId: string, message: StoredMessage, facts: QueueFacts): void;
  dropped(clientId: string, message: StoredMessage, reason: DropReason, side: DropSide): void;
}

export class MessageTaps {
  readonly #taps = new Set<MessageTap>();
  readonly #changed: () => void;
  /** One for all; undefined: there is none. */
  tap: MessageTap | undefined = undefined;

  /** @param changed called when there is a tap for the first time, and none any more */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  add(tap: MessageTap): void {
    this.#taps.add(tap);
    this.#combine();
  }

  delete(tap: MessageTap): void {
    if (this.#taps.delete(tap)) this.#combine();
  }

  #combine(): void {
    const taps = [...this.#taps];
    this.tap =
      taps.length === 0
        ? undefined
        : {
            delivered(clientId, message, facts) {
              for (const tap of taps) tap.delivered(clientId, message, facts);
            },
            queued(clientId, message, facts) {
              for (const tap of taps) tap.queued(clientId, message, facts);
            },
            dropped(clientId, message, reason, side) {
              for (const tap of taps) tap.dropped(clientId, message, reason, side);
            },
          };
    this.#changed();
  }
}
