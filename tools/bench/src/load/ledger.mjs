// Accounts for every message: which were sent, and which arrived, once, in order and complete.
export const STAMP = 16;
const FILL = 0x5a;

/** A payload: send time (f64, ms), number (u32), publisher (u32), filling. */
export function makePayload(size, publisher) {
  if (size < STAMP) throw new RangeError(`payloads have ${STAMP} bytes at least`);
  const payload = Buffer.alloc(size, FILL);
  payload.writeUInt32LE(publisher, 12);
  return payload;
}

/** The messages of one publisher at one subscriber. */
class Stream {
  next = 0;
  missing = undefined;
}

export class Ledger {
  received = 0;
  duplicated = 0;
  reordered = 0;
  corrupt = 0;
  #size;
  #streams = new Map();

  constructor(size) {
    this.#size = size;
  }

  /**
   * Records a payload.
   * @returns its number, or -1 if it does not count (duplicate, corrupt)
   */
  book(subscriber, bytes, start, end) {
    const size = end - start;
    if (size !== this.#size || (size > STAMP && (bytes[end - 1] !== FILL || bytes[start + STAMP] !== FILL))) {
      this.corrupt++;
      return -1;
    }
    const seq = bytes.readUInt32LE(start + 8);
    const stream = this.#stream(subscriber, bytes.readUInt32LE(start + 12));
    if (seq === stream.next) {
      stream.next++;
    } else if (seq > stream.next) {
      stream.missing ??= new Set();
      for (let gone = stream.next; gone < seq; gone++) stream.missing.add(gone);
      stream.next = seq + 1;
    } else if (stream.missing?.delete(seq)) {
      this.reordered++;
    } else {
      this.duplicated++;
      return -1;
    }
    this.received++;
    return seq;
  }

  #stream(subscriber, publisher) {
    const key = subscriber * 65_536 + publisher;
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new Stream();
      this.#streams.set(key, stream);
    }
    return stream;
  }
}

/** Milliseconds in buckets that are 3 % wide. */
export class Histogram {
  #counts = new Uint32Array(1024);
  count = 0;
  max = 0;

  add(milliseconds) {
    const value = Math.max(milliseconds, 0.001);
    this.#counts[Math.min(1023, Math.floor(Math.log2(value * 1000) * 24))]++;
    this.count++;
    if (value > this.max) this.max = value;
  }

  quantile(q) {
    let rest = q * this.count;
    for (let i = 0; i < 1024; i++) {
      rest -= this.#counts[i];
      if (rest <= 0 && this.#counts[i] > 0) return Math.min(this.max, 2 ** ((i + 0.5) / 24) / 1000);
    }
    return this.max;
  }
}
