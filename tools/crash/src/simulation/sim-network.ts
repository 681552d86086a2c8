// Connections of a simulation: bytes wait at the other end until the simulation delivers them. What a process has
// written is read to the end after its death; what it writes later never arrives.
import {
  type ConnectionHandler,
  type ConnectionInfo,
  type ExternalConnection,
  nextConnectionId,
} from "@wrenmq/transport";

/** The owner of one end of a connection. */
export interface SimOwner {
  /**
   * An event that others can see is about to happen.
   * @returns false: the process is dead, and it does not happen
   */
  act(): boolean;
}

/** The clients, which do not die. */
export const OUTSIDE: SimOwner = { act: () => true };

/** Unread bytes at which a writer has to wait. */
const HIGH_WATER = 256 * 1024;

type Event = Uint8Array | "end" | "lost" | "drain";

export class SimEndpoint implements ExternalConnection {
  readonly id: number = nextConnectionId();
  readonly info: ConnectionInfo = { transport: "memory", remoteAddress: "simulated", remotePort: undefined };
  readonly owner: SimOwner;
  #other: SimEndpoint | undefined;
  #handler: ConnectionHandler | undefined;
  #events: Event[] = [];
  #unread = 0;
  #paused = false;
  #owesDrain = false;
  #ending = false;
  #over = false;

  private constructor(owner: SimOwner) {
    this.owner = owner;
  }

  static pair(one: SimOwner, other: SimOwner): [SimEndpoint, SimEndpoint] {
    const [a, b] = [new SimEndpoint(one), new SimEndpoint(other)];
    a.#other = b;
    b.#other = a;
    return [a, b];
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Is there an event to deliver? */
  get hasNews(): boolean {
    const [first] = this.#events;
    if (this.#over || this.#handler === undefined || first === undefined) return false;
    return !(first instanceof Uint8Array) || !this.#paused || this.#ending;
  }

  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    const other = this.#other as SimEndpoint;
    if (this.#over || this.#ending || !this.owner.act() || other.#over) return true;
    other.#events.push(new Uint8Array(bytes));
    other.#unread += bytes.length;
    if (other.#unread < HIGH_WATER) return true;
    other.#owesDrain = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  end(): void {
    if (this.#ending || this.#over || !this.owner.act()) return;
    this.#ending = true;
    (this.#other as SimEndpoint).#events.push("end");
  }

  destroy(): void {
    if (!this.owner.act()) return;
    (this.#other as SimEndpoint).#events.push("lost");
    this.#events = ["lost"];
  }

  /**
   * Its process is dead.
   * @param keep number of unread pieces that still arrive
   */
  cut(keep: number = Number.POSITIVE_INFINITY): void {
    this.#over = true;
    const other = this.#other as SimEndpoint;
    if (other.#events.length > keep) other.#events.length = keep;
    other.#events.push("lost");
  }

  /** Delivers the next event to the owner. */
  deliver(): void {
    const event = this.#events.shift();
    const other = this.#other as SimEndpoint;
    if (event instanceof Uint8Array) {
      this.#unread -= event.length;
      if (!this.#ending) this.#handler?.data(event, 0, event.length);
      if (this.#owesDrain && this.#unread === 0) {
        this.#owesDrain = false;
        other.#events.push("drain");
      }
    } else if (event === "drain") this.#handler?.drain();
    else if (event !== undefined) {
      this.#over = true;
      // Both have ended, or this side answers the end of the other with its own.
      if (event === "end" && !other.#over) other.#events.push("lost");
      this.#handler?.closed(undefined);
    }
  }
}
