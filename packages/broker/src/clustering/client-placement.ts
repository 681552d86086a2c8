// Where several brokers share their listeners: holds a new connection until the client identifier of its CONNECT is
// known, and with it the broker that serves the client.
import { copyBytes, PEEK_MORE, peekClientId } from "@wrenmq/protocol";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";

/** Decides which broker serves which client. */
export interface Placement {
  /** Does this broker serve the client? */
  isHome(clientId: string): boolean;
  /**
   * Where homes move: is this broker still the home of a client that it is about to admit? Default: it is.
   */
  isStillHome?(clientId: string): boolean;
  /** Is this broker the home of no client identifier at all? Then it assigns none. Default: it is of some. */
  isHomeless?(): boolean;
  /**
   * Passes the connection to the broker that serves the client.
   * @param head the bytes that were read of it, as a copy for the callee
   * @returns released: its socket has left this process; lost: the other broker cannot be reached; or the handler of
   * the connection's events from now on
   */
  handOver(
    connection: Connection,
    client: { readonly clientId: string; readonly listener: string },
    head: Uint8Array,
  ): ConnectionHandler | "released" | "lost";
}

/** The most bytes of a CONNECT before its client identifier. */
const MOST_PEEKED = 128 * 1024;

/** A connection whose handler can be replaced in the middle of the stream. */
type Replaceable = Connection & {
  handOver(handler: ConnectionHandler, bytes: Uint8Array, start: number, end: number): void;
};

/** The connection that serves the client if this broker is its home. */
export interface PlacedConnection extends ConnectionHandler {
  readonly transport: Connection;
  /** Another broker serves the client: ends what was begun here, without a trace. */
  discardHandedOver(): void;
}

export class ClientPlacement implements ConnectionHandler {
  readonly #placed: PlacedConnection;
  readonly #connection: Connection;
  readonly #listener: string;
  readonly #placement: Placement;
  #peeked: Uint8Array | undefined;
  #next: ConnectionHandler | undefined;

  constructor(placed: PlacedConnection, listener: string, placement: Placement) {
    this.#placed = placed;
    this.#connection = placed.transport;
    this.#listener = listener;
    this.#placement = placement;
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    if (this.#next !== undefined) {
      this.#next.data(bytes, start, end);
      return;
    }
    if (this.#peeked === undefined) this.#decide(bytes, start, end);
    else {
      const joined = new Uint8Array(this.#peeked.length + end - start);
      joined.set(this.#peeked);
      joined.set(bytes.subarray(start, end), this.#peeked.length);
      this.#decide(joined, 0, joined.length);
    }
  }

  drain(): void {
    (this.#next ?? this.#placed).drain();
  }

  closed(error: Error | undefined): void {
    (this.#next ?? this.#placed).closed(error);
  }

  #decide(bytes: Uint8Array, start: number, end: number): void {
    const clientId = peekClientId(bytes, start, end);
    if (clientId === PEEK_MORE && end - start < MOST_PEEKED) {
      this.#peeked = copyBytes(bytes, start, end);
      return;
    }
    this.#peeked = undefined;
    // Without a client identifier this broker assigns one; anything but a CONNECT is refused here.
    const isServedHere = (name: string): boolean =>
      name === "" ? this.#placement.isHomeless?.() !== true : this.#placement.isHome(name);
    if (typeof clientId !== "string" || isServedHere(clientId)) {
      this.#stay(bytes, start, end);
      return;
    }
    const head = copyBytes(bytes, start, end);
    const next = this.#placement.handOver(this.#connection, { clientId, listener: this.#listener }, head);
    this.#placed.discardHandedOver();
    if (next === "lost") {
      this.#next = NOBODY;
      this.#connection.destroy();
    } else if (next !== "released") this.#next = next;
  }

  #stay(bytes: Uint8Array, start: number, end: number): void {
    this.#next = this.#placed;
    const connection = this.#connection as Partial<Replaceable>;
    if (connection.handOver === undefined) this.#placed.data(bytes, start, end);
    else connection.handOver(this.#placed, bytes, start, end);
  }
}

const NOBODY: ConnectionHandler = { data() {}, drain() {}, closed() {} };
