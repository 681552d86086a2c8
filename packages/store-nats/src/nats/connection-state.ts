// What becomes of a connection to NATS: its client tells of it as events, of which all stores of a process need the same.
import { type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";

export interface ConnectionListener {
  lost(): void;
  /** NATS has refused something. */
  forbidden(error: PermissionViolationError): void;
}

export class ConnectionState {
  /** Who has a connection object was connected a moment ago. */
  isThere = true;
  readonly #listeners = new Set<ConnectionListener>();

  constructor(nats: NatsConnection) {
    void this.#follow(nats);
  }

  /** @returns a function that ends it */
  listen(listener: ConnectionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #follow(nats: NatsConnection): Promise<void> {
    for await (const status of nats.status()) {
      if (status.type === "disconnect" || status.type === "close") {
        this.isThere = false;
        for (const listener of this.#listeners) listener.lost();
      } else if (status.type === "reconnect") this.isThere = true;
      else if (status.type === "error" && status.error instanceof PermissionViolationError) {
        for (const listener of this.#listeners) listener.forbidden(status.error);
      }
    }
  }
}

const states = new WeakMap<NatsConnection, ConnectionState>();

export function connectionState(nats: NatsConnection): ConnectionState {
  let state = states.get(nats);
  if (state === undefined) {
    state = new ConnectionState(nats);
    states.set(nats, state);
  }
  return state;
}
