// The topics of one publisher that has many: which one its n-th message has, written into the packet in place.
const DIGITS = 8;
const TAIL = "/temperature";
/** A prime, so that a publisher goes through its topics in another order than that of their names. */
const STRIDE = 7_919;

export class TopicSeries {
  /** The topic with a number that is still to be written. */
  topic;
  #first;
  #count;

  /** @param total topics of all publishers, or "unique": none comes twice */
  constructor(publisher, publishers, total) {
    this.#count = total === "unique" ? 10 ** DIGITS : Math.ceil(total / publishers);
    this.#first = publisher * (total === "unique" ? 0 : this.#count);
    this.topic = `site/${publisher}/line/7/device/${"0".repeat(DIGITS)}${TAIL}`;
  }

  /** The filter of who wants them all. */
  static filter(publisher) {
    return `site/${publisher}/#`;
  }

  /** Writes the topic of message `seq` into a packet; `end` is where the topic ends. */
  write(bytes, end, seq) {
    let rest = this.#number(seq);
    for (let at = end - TAIL.length - 1, digit = 0; digit < DIGITS; digit++) {
      bytes[at--] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }

  /** Does the topic that ends at `end` belong to message `seq`? */
  isOf(bytes, end, seq) {
    let number = 0;
    for (let at = end - TAIL.length - DIGITS; at < end - TAIL.length; at++) number = number * 10 + bytes[at] - 0x30;
    return number === this.#number(seq);
  }

  #number(seq) {
    return this.#first + ((seq * STRIDE) % this.#count);
  }
}
