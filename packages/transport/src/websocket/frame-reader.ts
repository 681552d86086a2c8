// Parses the frames of a WebSocket client as the bytes arrive. Messages are not collected: the payload of all frames of
// one read is unmasked and moved together where it lies, and passed on in one piece. Does no I/O. [RFC 6455, 5]

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
   * Payload of binary messages, of one frame or of several.
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

const FINAL_BINARY = 0x80 | Opcode.Binary;
const MASKED = 0x80;
const MOST_CONTROL_BYTES = 125;
/** Two bytes and the mask. */
const SHORTEST_HEADER = 6;
/** First byte, length byte, eight bytes of length, four of mask. */
const LONGEST_HEADER = 14;

interface Violation {
  readonly code: number;
  readonly reason: string;
}

export class WsFrameReader {
  readonly #sink: FrameSink;
  /** Bytes of one message. */
  readonly #maxMessage: number;
  /** A header that has arrived in part. */
  #header: Uint8Array | undefined;
  #headerLength = 0;
  #opcode = 0;
  /** Payload bytes of this frame that have not arrived. */
  #left = 0;
  /** For the next byte of the payload and the three after it; the first is the lowest. */
  #mask = 0;
  /** Payload of a control frame, from its header on until it is complete. */
  #control: Uint8Array | undefined;
  /** A frame without FIN has arrived, and the frame with FIN has not. */
  #isContinued = false;
  /** Payload bytes of the message so far. */
  #messageLength = 0;
  #violation: Violation | undefined;
  #isOver = false;

  constructor(sink: FrameSink, maxMessage: number) {
    this.#sink = sink;
    this.#maxMessage = maxMessage;
  }

  /**
   * @param bytes are overwritten between `start` and `end`
   * @returns up to where they were read
   */
  read(bytes: Uint8Array, start: number, end: number): number {
    const view = viewOf(bytes);
    let at = start;
    /** Payload that has not been passed on. */
    let from = start;
    let to = start;
    for (let isWanted = true; at < end && isWanted && !this.#isOver; ) {
      if (this.#left === 0 && this.#isShortFrame(bytes, at, end)) {
        const length = (bytes[at + 1] as number) - MASKED;
        const mask = view.getInt32(at + 2, true);
        at += SHORTEST_HEADER;
        if (from === to) from = to = at;
        unmask(view, at, at + length, mask, to);
        at += length;
        to += length;
        continue;
      }
      if (this.#left === 0) at = this.#readHeader(bytes, at, end);
      else {
        const stop = Math.min(end, at + this.#left);
        if (this.#control === undefined) {
          if (from === to) from = to = at;
          this.#mask = unmask(view, at, stop, this.#mask, to);
          to += stop - at;
        } else {
          this.#mask = unmask(view, at, stop, this.#mask, at);
          this.#control.set(bytes.subarray(at, stop), this.#control.length - this.#left);
        }
        this.#left -= stop - at;
        at = stop;
      }
      if (this.#violation === undefined && (this.#control === undefined || this.#left > 0)) continue;
      // What came before it comes first.
      isWanted = from === to || this.#sink.payload(bytes, from, to);
      from = to;
      this.#controlled();
    }
    if (from < to) this.#sink.payload(bytes, from, to);
    return this.#isOver ? end : at;
  }

  /** Is there a whole binary message in a frame of the shortest form? Nearly all frames of MQTT clients are that. */
  #isShortFrame(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at < SHORTEST_HEADER || bytes[at] !== FINAL_BINARY) return false;
    const length = (bytes[at + 1] as number) - MASKED;
    if (length < 0 || length > MOST_CONTROL_BYTES || length > this.#maxMessage) return false;
    return at + SHORTEST_HEADER + length <= end && this.#header === undefined && !this.#isContinued;
  }

  /** @returns where reading goes on */
  #readHeader(bytes: Uint8Array, start: number, end: number): number {
    if (this.#header === undefined && end - start >= LONGEST_HEADER) {
      if (!this.#mayBegin(bytes[start] as number, bytes[start + 1] as number)) return end;
      this.#begin(bytes, start);
      return start + headerLength(bytes[start + 1] as number);
    }
    this.#header ??= new Uint8Array(LONGEST_HEADER);
    const header = this.#header;
    let at = start;
    for (;;) {
      const needed = this.#headerLength < 2 ? 2 : headerLength(header[1] as number);
      if (this.#headerLength >= needed) break;
      if (at === end) return at;
      header[this.#headerLength++] = bytes[at++] as number;
      if (this.#headerLength === 2 && !this.#mayBegin(header[0] as number, header[1] as number)) return end;
    }
    this.#header = undefined;
    this.#headerLength = 0;
    this.#begin(header, 0);
    return at;
  }

  /** Checks the first two bytes of a frame. */
  #mayBegin(first: number, second: number): boolean {
    const opcode = first & 0x0f;
    const isFinal = first >= 0x80;
    if ((first & 0x70) !== 0) return this.#broken("reserved bits are set, and no extension was agreed on");
    if (second < MASKED) return this.#broken("a frame is not masked");
    if (opcode >= Opcode.Close) {
      if (opcode > Opcode.Pong) return this.#broken("a frame has an unknown opcode");
      if (opcode === Opcode.Close && (second & 0x7f) === 1) return this.#broken("a close frame has half a code");
      return (isFinal && (second & 0x7f) <= MOST_CONTROL_BYTES) || this.#broken("a control frame is too long");
    }
    if (opcode === Opcode.Text) {
      // [MQTT-6.0.0-1]
      return this.#broken("a text frame came, MQTT is in binary ones", CloseCode.UnsupportedData);
    }
    if (opcode > Opcode.Binary) return this.#broken("a frame has an unknown opcode");
    const isExpected = (opcode === Opcode.Continuation) === this.#isContinued;
    return isExpected || this.#broken("a continuation without a message, or a message inside another one");
  }

  /** @param header has the whole header from `at` on */
  #begin(header: Uint8Array, at: number): void {
    const first = header[at] as number;
    const opcode = first & 0x0f;
    const length = payloadLength(header, at);
    const maskAt = at + headerLength(header[at + 1] as number) - 4;
    this.#mask = viewOf(header).getInt32(maskAt, true);
    this.#opcode = opcode;
    this.#left = length;
    if (opcode >= Opcode.Close) {
      this.#control = new Uint8Array(length);
      return;
    }
    this.#messageLength = opcode === Opcode.Binary ? length : this.#messageLength + length;
    this.#isContinued = first < 0x80;
    if (this.#messageLength > this.#maxMessage) {
      this.#broken(`a message is longer than ${this.#maxMessage} bytes`, CloseCode.MessageTooBig);
    }
  }

  /** A control frame is complete, or the protocol is broken. */
  #controlled(): void {
    const payload = this.#control;
    this.#control = undefined;
    let code: number | undefined;
    if (this.#violation === undefined && payload !== undefined) {
      if (this.#opcode === Opcode.Ping) this.#sink.ping(payload);
      if (this.#opcode !== Opcode.Close) return;
      code = payload.length === 0 ? undefined : ((payload[0] as number) << 8) | (payload[1] as number);
      if (code !== undefined && !isCloseCode(code)) this.#broken("a close frame has a code that it may not have");
    }
    this.#isOver = true;
    if (this.#violation === undefined) this.#sink.close(code);
    else this.#sink.violation(this.#violation.code, this.#violation.reason);
  }

  #broken(reason: string, code: number = CloseCode.ProtocolError): false {
    this.#violation = { code, reason };
    return false;
  }
}

/** @param second the second byte of the frame */
function headerLength(second: number): number {
  const length = second & 0x7f;
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + 4;
}

/** @param at where the header begins */
function payloadLength(header: Uint8Array, at: number): number {
  const length = (header[at + 1] as number) & 0x7f;
  if (length < 126) return length;
  const view = viewOf(header);
  return length === 126 ? view.getUint16(at + 2) : view.getUint32(at + 2) * 0x1_0000_0000 + view.getUint32(at + 6);
}

/** Is this a code that a peer may send? [RFC 6455, 7.4] */
function isCloseCode(code: number): boolean {
  if (code < 3000) return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  return code < 5000;
}

/** All raw connections of a process are read into one array. */
let viewed: Uint8Array | undefined;
let lastView: DataView;

function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    viewed = bytes;
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return lastView;
}

/**
 * Unmasks the bytes between `start` and `end`, four at once, and moves them to `target`, which is not after `start`, and
 * either equal to it or at least four bytes before.
 * @param mask for the bytes at `start`; the first is the lowest
 * @returns the mask for the bytes at `end`
 */
function unmask(view: DataView, start: number, end: number, mask: number, target: number): number {
  const shift = target - start;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) view.setInt32(at + shift, view.getInt32(at, true) ^ mask, true);
  let rest = mask;
  for (; at < end; at++) {
    view.setUint8(at + shift, view.getUint8(at) ^ (rest & 0xff));
    rest = (rest >>> 8) | (rest << 24);
  }
  return rest;
}
