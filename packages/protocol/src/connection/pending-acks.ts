// Acknowledgements that wait for their turn or their reason code, in the order in which their messages came. One number
// each and no object: between brokers every message above QoS 0 waits here.
//
//   reason code or UNKNOWN   QoS 2?   packet identifier
//   25 ················ 17     16     15 ············ 0

const QOS_2 = 0x1_0000;
const CODE_SHIFT = 17;
const UNKNOWN_CODE = 0x100;
/** Those that have left are forgotten when there are so many. */
const MOST_GONE = 64;

/** The reason code of an acknowledgement that waits for it. */
export const UNKNOWN = -1;

export class PendingAcks {
  #acks: number[] = [];
  /** Those before it have left. */
  #head = 0;

  get size(): number {
    return this.#acks.length - this.#head;
  }

  /** Has the first its reason code? */
  get isReady(): boolean {
    return this.size > 0 && this.reasonCode !== UNKNOWN;
  }

  /** Of the first. */
  get packetId(): number {
    return this.#first & 0xffff;
  }

  /** Of the first. */
  get qos(): 1 | 2 {
    return (this.#first & QOS_2) === 0 ? 1 : 2;
  }

  /** Of the first. */
  get reasonCode(): number {
    const code = this.#first >>> CODE_SHIFT;
    return code === UNKNOWN_CODE ? UNKNOWN : code;
  }

  add(packetId: number, qos: 1 | 2, reasonCode: number): void {
    const code = reasonCode === UNKNOWN ? UNKNOWN_CODE : reasonCode;
    this.#acks.push(packetId | (qos === 2 ? QOS_2 : 0) | (code << CODE_SHIFT));
  }

  has(packetId: number): boolean {
    const acks = this.#acks;
    for (let index = this.#head; index < acks.length; index++) {
      if (((acks[index] as number) & 0xffff) === packetId) return true;
    }
    return false;
  }

  /** @returns the QoS of the message; 0: none with this identifier waits for its reason code */
  settle(packetId: number, reasonCode: number): 0 | 1 | 2 {
    const acks = this.#acks;
    // Reason codes come nearly in order.
    for (let index = this.#head; index < acks.length; index++) {
      const ack = acks[index] as number;
      if ((ack & 0xffff) !== packetId || ack >>> CODE_SHIFT !== UNKNOWN_CODE) continue;
      acks[index] = (ack & (QOS_2 | 0xffff)) | (reasonCode << CODE_SHIFT);
      return (ack & QOS_2) === 0 ? 1 : 2;
    }
    return 0;
  }

  /** The first has left. */
  shift(): void {
    const head = this.#head + 1;
    if (head === this.#acks.length) {
      this.#acks.length = 0;
      this.#head = 0;
    } else if (head >= MOST_GONE && head * 2 > this.#acks.length) {
      this.#acks = this.#acks.slice(head);
      this.#head = 0;
    } else this.#head = head;
  }

  get #first(): number {
    return this.#acks[this.#head] as number;
  }
}
