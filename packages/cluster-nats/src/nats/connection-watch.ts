// Whether the connection to NATS is there: its client connects again by itself, and tells of it only as events.
import type { NatsConnection } from "@nats-io/transport-node";

export interface ConnectionChanges {
  /** Once for each time that it is lost, however many attempts fail after it. */
  lost(): void;
  back(): void;
}

export class ConnectionWatch {
  readonly #nats: Pick<NatsConnection, "status">;
  /** Who has a connection object was connected a moment ago. */
  #isThere = true;

  constructor(nats: Pick<NatsConnection, "status">) {
    this.#nats = nats;
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  /** Until the connection is closed. Apart from the constructor, as those who are told need `isThere` to be made. */
  start(changes: ConnectionChanges): void {
    void this.#follow(changes);
  }

  async #follow(changes: ConnectionChanges): Promise<void> {
    for await (const { type } of this.#nats.status()) {
      if (type === "disconnect" || type === "close") this.#changed(false, changes.lost);
      else if (type === "reconnect") this.#changed(true, changes.back);
    }
  }

  #changed(isThere: boolean, told: () => void): void {
    if (this.#isThere === isThere) return;
    this.#isThere = isThere;
    told();
  }
}
