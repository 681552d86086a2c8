// The QoS 1 and 2 messages that were sent and are not settled yet, in the order of their sending. Packet identifiers are
// handed out in sequence, so the window is a ring over the sequence: finding an identifier is arithmetic.
//
//        head                    tail            packet id = sequence % 65,535 + 1
//   ───┬──┴──┬─────┬──────┬─────┬──┴──
//      │ ack │ rec │ done │ ack │ next          slot = sequence & mask
//   ───┴─────┴─────┴──────┴─────┴─────
import type { Delivery } from "./delivery.ts";
import type { OutboundState } from "./outbound-transitions.ts";

const PACKET_IDS = 65_535;
const NO_STATES = new Uint8Array(0);
const NO_DELIVERIES: (Delivery | undefined)[] = [];
const FIRST_CAPACITY = 16;

export class OutboundWindow {
  /** Messages in flight. */
  size: number = 0;
  #states: Uint8Array = NO_STATES;
  #deliveries: (Delivery | undefined)[] = NO_DELIVERIES;
  #head = 0;
  #tail = 0;

  /** Is there no packet identifier left? */
  get exhausted(): boolean {
    return this.#tail - this.#head >= PACKET_IDS;
  }

  /**
   * Takes the next packet identifier. Only when not `exhausted`.
   * @param delivery what may have to be sent again; undefined when the session ends with its connection
   */
  add(state: OutboundState, delivery: Delivery | undefined): number {
    const sequence = this.#tail;
    if (sequence - this.#head >= this.#states.length) this.#grow(sequence + 1);
    const slot = sequence & (this.#states.length - 1);
    this.#states[slot] = state;
    if (delivery !== undefined) this.#keepDelivery(slot, delivery);
    this.#tail = sequence + 1;
    this.size++;
    return (sequence % PACKET_IDS) + 1;
  }

  /** Puts back what was in flight when the session was stored; call it in the order of sending. */
  restore(packetId: number, state: OutboundState, delivery: Delivery | undefined): void {
    if (this.#head === this.#tail) {
      this.#head = packetId - 1;
      this.#tail = this.#head;
    }
    const sequence = this.#head + ((packetId - 1 - (this.#head % PACKET_IDS) + PACKET_IDS) % PACKET_IDS);
    if (sequence - this.#head >= this.#states.length) this.#grow(sequence + 1);
    const slot = sequence & (this.#states.length - 1);
    this.#states[slot] = state;
    if (delivery !== undefined) this.#keepDelivery(slot, delivery);
    this.#tail = Math.max(this.#tail, sequence + 1);
    this.size++;
  }

  /** The state of a packet identifier; 0 when it is not in flight. */
  state(packetId: number): OutboundState | 0 {
    const sequence = this.#sequence(packetId);
    return sequence < 0 ? 0 : (this.#states[sequence & (this.#states.length - 1)] as OutboundState | 0);
  }

  delivery(packetId: number): Delivery | undefined {
    const sequence = this.#sequence(packetId);
    return sequence < 0 ? undefined : this.#deliveries[sequence & (this.#states.length - 1)];
  }

  /** Only for a packet identifier in flight. */
  advance(packetId: number, state: OutboundState): void {
    this.#states[this.#sequence(packetId) & (this.#states.length - 1)] = state;
  }

  /** Only for a packet identifier in flight. */
  settle(packetId: number): void {
    const sequence = this.#sequence(packetId);
    const mask = this.#states.length - 1;
    const slot = sequence & mask;
    this.#states[slot] = 0;
    if (this.#deliveries.length > 0) this.#deliveries[slot] = undefined;
    this.size--;
    if (sequence === this.#head) {
      let head = sequence + 1;
      while (head < this.#tail && this.#states[head & mask] === 0) head++;
      this.#head = head;
    }
  }

  /** All that is in flight, in the order of sending. */
  *entries(): IterableIterator<readonly [packetId: number, state: OutboundState, delivery: Delivery | undefined]> {
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      const slot = sequence & (this.#states.length - 1);
      const state = this.#states[slot] as OutboundState | 0;
      if (state !== 0) yield [(sequence % PACKET_IDS) + 1, state, this.#deliveries[slot]];
    }
  }

  #sequence(packetId: number): number {
    const head = this.#head;
    let ahead = packetId - 1 - (head % PACKET_IDS);
    if (ahead < 0) ahead += PACKET_IDS;
    return head + ahead < this.#tail ? head + ahead : -1;
  }

  #keepDelivery(slot: number, delivery: Delivery): void {
    if (this.#deliveries.length === 0) this.#deliveries = new Array(this.#states.length).fill(undefined);
    this.#deliveries[slot] = delivery;
  }

  #grow(tail: number): void {
    let capacity = Math.max(FIRST_CAPACITY, this.#states.length * 2);
    while (capacity < tail - this.#head) capacity *= 2;
    const states = new Uint8Array(capacity);
    const keeps = this.#deliveries.length > 0;
    const deliveries = keeps ? new Array<Delivery | undefined>(capacity).fill(undefined) : NO_DELIVERIES;
    const oldMask = this.#states.length - 1;
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      states[sequence & (capacity - 1)] = this.#states[sequence & oldMask] as number;
      if (keeps) deliveries[sequence & (capacity - 1)] = this.#deliveries[sequence & oldMask];
    }
    this.#states = states;
    this.#deliveries = deliveries;
  }
}
