// The parcels to one peer that it has not answered, over any number of links.
import type { ForwardTarget } from "./cluster-bus.ts";
import type { ForwardResult } from "./forward-result.ts";
import type { Ticket } from "./forward-ticket.ts";
import type { Parcel } from "./parcel.ts";

/** A parcel to one peer, until the peer has answered, over any number of links. */
export class Handover implements Ticket {
  readonly parcel: Parcel;
  readonly target: ForwardTarget;
  readonly weight: number;
  isAnswered: boolean = false;
  /** The link over which it was sent last. */
  sentOver: object | undefined = undefined;
  readonly #all: Handovers;

  constructor(parcel: Parcel, target: ForwardTarget, weight: number, all: Handovers) {
    this.parcel = parcel;
    this.target = target;
    this.weight = weight;
    this.#all = all;
  }

  expect(): void {}

  sent(_sequence: number): void {}

  settle(_sequence: number, _count: number, result: ForwardResult): void {
    // If it is lost with its link it is sent again over the next one.
    if (this.sentOver === this.#all.link) this.#all.answer(this, result);
  }
}

/** Parcels that one peer has not answered, in the order of their numbers. */
export class Handovers {
  /** The link to the peer, while it is connected and not being closed. */
  link: object | undefined = undefined;
  #waiting: (Handover | undefined)[] = [];
  /** All parcels before this index have been answered. */
  #head = 0;
  #size = 0;
  /** Bytes that they keep in memory. */
  bytes: number = 0;

  get size(): number {
    return this.#size;
  }

  add(parcel: Parcel, target: ForwardTarget, weight: number): Handover {
    const handover = new Handover(parcel, target, weight, this);
    this.#waiting.push(handover);
    this.#size++;
    this.bytes += weight;
    return handover;
  }

  answer(handover: Handover, result: ForwardResult): void {
    if (handover.isAnswered) return;
    handover.isAnswered = true;
    this.#size--;
    this.bytes -= handover.weight;
    const waiting = this.#waiting;
    while (this.#head < waiting.length && waiting[this.#head]?.isAnswered === true) waiting[this.#head++] = undefined;
    if (this.#head === waiting.length) {
      waiting.length = 0;
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > waiting.length) {
      this.#waiting = waiting.slice(this.#head);
      this.#head = 0;
    }
    handover.parcel.settle(0, 1, result);
  }

  /** Those that have not been answered. */
  *[Symbol.iterator](): IterableIterator<Handover> {
    for (const handover of this.#waiting.slice(this.#head)) {
      if (handover !== undefined && !handover.isAnswered) yield handover;
    }
  }

  answerAll(result: ForwardResult): void {
    for (const handover of this) this.answer(handover, result);
  }
}
