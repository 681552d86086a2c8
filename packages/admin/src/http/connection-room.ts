// Keeps room for those who may come in: connections whose caller is not known make room for each other, the oldest first.
// Somebody who opens many and says nothing shuts nobody out.
import type { Socket } from "node:net";

export class ConnectionRoom {
  readonly #most: number;
  /** By address and port: a TLS connection and the TCP connection below it are two objects with the same ones. */
  readonly #strangers = new Map<string, Socket>();
  /** Connections that are open, with those whose caller is known. */
  size: number = 0;

  /** @param most connections whose caller is not known */
  constructor(most: number) {
    this.#most = most;
  }

  /** A connection has been accepted; of TLS the one below it. */
  opened(socket: Socket): void {
    const key = keyOf(socket);
    if (this.#strangers.size >= this.#most) {
      for (const [oldKey, oldest] of this.#strangers) {
        this.#strangers.delete(oldKey);
        oldest.destroy();
        break;
      }
    }
    this.#strangers.set(key, socket);
    this.size++;
    socket.once("close", () => {
      this.size--;
      if (this.#strangers.get(key) === socket) this.#strangers.delete(key);
    });
  }

  /** A request on this connection had a token, or a session, that counts. */
  isKnown(socket: Socket): void {
    this.#strangers.delete(keyOf(socket));
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
