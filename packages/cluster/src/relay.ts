// A client's connection to one broker that another broker serves: bytes in both directions over the link between the two.
//
//   client ── TLS, WebSocket ── RelayEntrance ══ link ══ RelayConnection ── protocol
//
// Each direction has a window: a side that has sent that many bytes without confirmation stops reading its source.
import { copyBytes } from "@wrenmq/protocol";
import {
  type Connection,
  type ConnectionHandler,
  type ConnectionInfo,
  type ExternalConnection,
  nextConnectionId,
} from "@wrenmq/transport";

/** Bytes that may be in transit in one direction. */
const WINDOW = 512 * 1024;

/** What relays use of the link. */
export interface RelayLink {
  relayData(id: number, bytes: Uint8Array, start: number, end: number): void;
  relayCredit(id: number, bytes: number): void;
  relayEnd(id: number): void;
  /** The relay has ended; its number may be reused. */
  relayClosed(id: number, error: Error | undefined): void;
}

/** Called by the link for frames of a relay. */
export interface RelaySide {
  arrived(bytes: Uint8Array, start: number, end: number): void;
  credited(bytes: number): void;
  ended(): void;
  /** The last call. */
  lost(error: Error | undefined): void;
}

/** At the broker to which the client is connected: takes the place of the protocol. */
export class RelayEntrance implements ConnectionHandler, RelaySide {
  readonly #connection: Connection;
  readonly #link: RelayLink;
  readonly #id: number;
  #underWay = 0;
  #paused = false;
  /** Bytes of the write that the connection has not finished; 0: there is none. */
  #writing = 0;
  #waiting: Uint8Array[] = [];
  #ending = false;
  #over = false;

  constructor(connection: Connection, link: RelayLink, id: number) {
    this.#connection = connection;
    this.#link = link;
    this.#id = id;
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    if (this.#over) return;
    this.#link.relayData(this.#id, bytes, start, end);
    this.#underWay += end - start;
    if (this.#underWay < WINDOW || this.#paused) return;
    this.#paused = true;
    this.#connection.pause();
  }

  drain(): void {
    const written = this.#writing;
    this.#writing = 0;
    if (!this.#over && written > 0) this.#link.relayCredit(this.#id, written);
    this.#write();
  }

  closed(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#link.relayClosed(this.#id, error);
  }

  arrived(bytes: Uint8Array, start: number, end: number): void {
    this.#waiting.push(copyBytes(bytes, start, end));
    this.#write();
  }

  credited(bytes: number): void {
    this.#underWay -= bytes;
    if (!this.#paused || this.#underWay > WINDOW / 2) return;
    this.#paused = false;
    this.#connection.resume();
  }

  ended(): void {
    this.#ending = true;
    this.#write();
  }

  lost(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.destroy();
  }

  #write(): void {
    while (this.#writing === 0) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) break;
      if (this.#connection.write(bytes)) this.#link.relayCredit(this.#id, bytes.length);
      else this.#writing = bytes.length;
    }
    if (this.#ending && this.#writing === 0 && this.#waiting.length === 0) this.#connection.end();
  }
}

/** At the client's home: takes the place of the transport. */
export class RelayConnection implements ExternalConnection, RelaySide {
  readonly id: number = nextConnectionId();
  readonly info: ConnectionInfo;
  readonly #link: RelayLink;
  readonly #relay: number;
  #handler: ConnectionHandler | undefined;
  #waiting: Uint8Array[] = [];
  #underWay = 0;
  #blocked = false;
  #paused = false;
  #ending = false;
  #over = false;
  #error: Error | undefined;

  constructor(info: ConnectionInfo, link: RelayLink, relay: number) {
    this.info = info;
    this.#link = link;
    this.#relay = relay;
  }

  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
    if (this.#over) queueMicrotask(() => handler.closed(this.#error));
    else if (this.#waiting.length > 0) queueMicrotask(() => this.#deliver());
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ending || this.#over || bytes.length === 0) return true;
    this.#link.relayData(this.#relay, bytes, 0, bytes.length);
    this.#underWay += bytes.length;
    this.#blocked = this.#underWay >= WINDOW;
    return !this.#blocked;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#waiting.length > 0) queueMicrotask(() => this.#deliver());
  }

  end(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    this.#paused = false;
    this.#dropWaiting();
    this.#link.relayEnd(this.#relay);
  }

  destroy(): void {
    if (this.#over) return;
    this.#over = true;
    this.#link.relayClosed(this.#relay, undefined);
    const handler = this.#handler;
    if (handler !== undefined) queueMicrotask(() => handler.closed(undefined));
  }

  arrived(bytes: Uint8Array, start: number, end: number): void {
    if (this.#ending) {
      this.#link.relayCredit(this.#relay, end - start);
    } else if (this.#paused || this.#handler === undefined || this.#waiting.length > 0) {
      this.#waiting.push(copyBytes(bytes, start, end));
    } else {
      this.#link.relayCredit(this.#relay, end - start);
      this.#handler.data(bytes, start, end);
    }
  }

  credited(bytes: number): void {
    this.#underWay -= bytes;
    if (!this.#blocked || this.#underWay > WINDOW / 2) return;
    this.#blocked = false;
    if (!this.#ending) this.#handler?.drain();
  }

  /** The peer never half-closes: it sends that the connection is closed. */
  ended(): void {}

  lost(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#handler?.closed(error);
  }

  #deliver(): void {
    while (!this.#paused && !this.#over) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) return;
      this.#link.relayCredit(this.#relay, bytes.length);
      if (!this.#ending) this.#handler?.data(bytes, 0, bytes.length);
    }
  }

  #dropWaiting(): void {
    for (const { length } of this.#waiting) this.#link.relayCredit(this.#relay, length);
    this.#waiting = [];
  }
}
