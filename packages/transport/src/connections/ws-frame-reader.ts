// Parses the frames of a WebSocket client as the bytes arrive. Messages are not collected: payload is passed on in the
// pieces in which it arrived. Does no I/O. [RFC 6455, 5]

/** Close codes. [RFC 6455, 7.4.1] */
export const CloseCode = {
  Normal: 1000,
  ProtocolError: 1002,
  UnsupportedData: 1003,
  MessageTooBig: 1009,
} as const;

export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

export interface FrameSink {
  /**
   * Payload of a binary message, unmasked in place.
   * @returns false: deliver no more now; call `read` with the rest later
   */
  payload(bytes: Uint8Array, start: number, end: number): boolean;
  ping(payload: Uint8Array): void;
  /**
   * The last call: a close frame has arrived.
   * @param code the peer's close code; undefined: it gave none
   */
  close(code: number | undefined): void;
  /** The last call: the peer broke the protocol. */
  violation(code: number, reason: string): void;
}

const MOST_CONTROL_BYTES = 125;
/** First byte, length byte, eight bytes of length, four of mask. */
const LONGEST_HEADER = 14;

export class WsFrameReader {
  readonly #sink: FrameSink;
  /** Bytes of one message. */
  readonly #maxMessage: number;
  readonly #header = new Uint8Array(LONGEST_HEADER);
  #headerLength = 0;
  #opcode = 0;
  /** Payload bytes of this frame that have not arrived. */
  #left = 0;
  #mask = 0;
  /** Payload of a control frame that is not complete. */
  #control: Uint8Array | undefined;
  #controlLength = 0;
  /** A frame without FIN has arrived, and the frame with FIN has not. */
  #isContinued = false;
  /** Payload bytes of the message so far. */
  #messageLength = 0;
  #isOver = false;

  constructor(sink: FrameSink, maxMessage: number) {
    this.#sink = sink;
    this.#maxMessage = maxMessage;
  }

  /**
   * @param bytes their payload is unmasked in place
   * @returns up to where they were read
   */
  read(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && !this.#isOver) {
      if (this.#left === 0 && this.#control === undefined) {
        at = this.#readHeader(bytes, at, end);
        continue;
      }
      const stop = Math.min(end, at + this.#left);
      this.#left -= stop - at;
      this.#mask = unmask(bytes, at, stop, this.#mask);
      if (this.#control !== undefined) {
        this.#control.set(bytes.subarray(at, stop), this.#controlLength);
        this.#controlLength += stop - at;
        if (this.#left === 0) this.#controlled();
      } else if (!this.#sink.payload(bytes, at, stop)) return stop;
      at = stop;
    }
    return this.#isOver ? end : at;
  }

  /** @returns where reading goes on */
  #readHeader(bytes: Uint8Array, start: number, end: number): number {
    const header = this.#header;
    let at = start;
    for (;;) {
      const needed = this.#headerLength < 2 ? 2 : headerLength(header[1] as number);
      if (this.#headerLength >= needed) break;
      if (at === end) return at;
      header[this.#headerLength++] = bytes[at++] as number;
      if (this.#headerLength === 2 && !this.#mayBegin(header[0] as number, header[1] as number)) return end;
    }
    this.#headerLength = 0;
    this.#begin(header);
    return at;
  }

  /** Checks the first two bytes of a frame. */
  #mayBegin(first: number, second: number): boolean {
    const opcode = first & 0x0f;
    const isFinal = first >= 0x80;
    if ((first & 0x70) !== 0) return this.#violation("reserved bits are set, and no extension was agreed on");
    if (second < 0x80) return this.#violation("a frame is not masked");
    if (opcode >= Opcode.Close) {
      if (opcode > Opcode.Pong) return this.#violation("a frame has an unknown opcode");
      return (isFinal && (second & 0x7f) <= MOST_CONTROL_BYTES) || this.#violation("a control frame is too long");
    }
    if (opcode === Opcode.Text) {
      // [MQTT-6.0.0-1]
      return this.#violation("a text frame came, MQTT is in binary ones", CloseCode.UnsupportedData);
    }
    if (opcode > Opcode.Binary) return this.#violation("a frame has an unknown opcode");
    const isExpected = (opcode === Opcode.Continuation) === this.#isContinued;
    return isExpected || this.#violation("a continuation without a message, or a message inside another one");
  }

  #begin(header: Uint8Array): void {
    const opcode = (header[0] as number) & 0x0f;
    const length = payloadLength(header);
    const maskAt = headerLength(header[1] as number) - 4;
    this.#mask = uint32(header, maskAt);
    this.#opcode = opcode;
    this.#left = length;
    if (opcode >= Opcode.Close) {
      this.#control = new Uint8Array(length);
      this.#controlLength = 0;
      if (length === 0) this.#controlled();
      return;
    }
    this.#messageLength = opcode === Opcode.Binary ? length : this.#messageLength + length;
    this.#isContinued = (header[0] as number) < 0x80;
    if (this.#messageLength > this.#maxMessage) {
      this.#violation(`a message is longer than ${this.#maxMessage} bytes`, CloseCode.MessageTooBig);
    }
  }

  #controlled(): void {
    const payload = this.#control as Uint8Array;
    this.#control = undefined;
    if (this.#opcode === Opcode.Ping) this.#sink.ping(payload);
    if (this.#opcode !== Opcode.Close) return;
    const code = payload.length === 0 ? undefined : ((payload[0] as number) << 8) | (payload[1] ?? 0);
    if (payload.length === 1 || (code !== undefined && !isCloseCode(code))) {
      this.#violation("a close frame has a code that it may not have");
      return;
    }
    this.#isOver = true;
    this.#sink.close(code);
  }

  #violation(reason: string, code: number = CloseCode.ProtocolError): false {
    this.#isOver = true;
    this.#sink.violation(code, reason);
    return false;
  }
}

/** @param second the second byte of the frame */
function headerLength(second: number): number {
  const length = second & 0x7f;
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + 4;
}

function payloadLength(header: Uint8Array): number {
  const length = (header[1] as number) & 0x7f;
  if (length === 127) return uint32(header, 2) * 0x1_0000_0000 + uint32(header, 6);
  return length === 126 ? ((header[2] as number) << 8) | (header[3] as number) : length;
}

function uint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  return high * 0x1_0000 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
}

/** Is this a code that a peer may send? [RFC 6455, 7.4] */
function isCloseCode(code: number): boolean {
  if (code < 3000) return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  return code < 5000;
}

/**
 * @param mask for the first byte at `start`
 * @returns the mask for the byte at `end`
 */
function unmask(bytes: Uint8Array, start: number, end: number, mask: number): number {
  const one = mask >>> 24;
  const two = (mask >>> 16) & 0xff;
  const three = (mask >>> 8) & 0xff;
  const four = mask & 0xff;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    bytes[at] = (bytes[at] as number) ^ one;
    bytes[at + 1] = (bytes[at + 1] as number) ^ two;
    bytes[at + 2] = (bytes[at + 2] as number) ^ three;
    bytes[at + 3] = (bytes[at + 3] as number) ^ four;
  }
  let rest = mask;
  for (; at < end; at++) {
    bytes[at] = (bytes[at] as number) ^ (rest >>> 24);
    rest = ((rest << 8) | (rest >>> 24)) >>> 0;
  }
  return rest;
}
