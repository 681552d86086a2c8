// The topics of one publisher that has many: the topic of its n-th message is written into the packet in place.
const DIGITS = 8;
const TAIL = "/temperature";
/** A prime, so that topics are used in another order than that of their names. */
const STRIDE = 7_919;

export class TopicSeries {
  /** The topic, with a number that is not written yet. */
  topic;
  #first;
  #count;

  /** @param total topics of all publishers, or "unique": no topic is used twice */
  constructor(publisher, publishers, total) {
    this.#count = total === "unique" ? 10 ** DIGITS : Math.ceil(total / publishers);
    this.#first = publisher * (total === "unique" ? 0 : this.#count);
    this.topic = `site/${publisher}/line/7/device/${"0".repeat(DIGITS)}${TAIL}`;
  }

  /** A filter that matches all of them. */
  static filter(publisher) {
    return `site/${publisher}/#`;
  }

  /** Writes the topic of message `seq` into a packet in which the topic ends at `end`. */
  write(bytes, end, seq) {
    let rest = this.#number(seq);
    for (let at = end - TAIL.length - 1, digit = 0; digit < DIGITS; digit++) {
      bytes[at--] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }

  /** Is this the topic of message `seq`? */
  isOf(bytes, end, seq) {
    let number = 0;
    for (let at = end - TAIL.length - DIGITS; at < end - TAIL.length; at++) number = number * 10 + bytes[at] - 0x30;
    return number === this.#number(seq);
  }

  #number(seq) {
    return this.#first + ((seq * STRIDE) % this.#count);
  }
}
