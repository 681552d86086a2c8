// Splits the bytes of a peer into frames. A frame that is complete in the bytes just read is described in place; of an
// incomplete one only its own bytes are copied.
import { malformed } from "../errors.ts";
import { FRAME_HEAD, MAX_BODY } from "./frame-type.ts";

const NOTHING = new Uint8Array(0);

export class MeshFrameReader {
  type: number = 0;
  /** The bytes that contain the body. */
  bytes: Uint8Array = NOTHING;
  start: number = 0;
  end: number = 0;
  #source: Uint8Array = NOTHING;
  #position = 0;
  #limit = 0;
  readonly #head = new Uint8Array(FRAME_HEAD);
  #headLength = 0;
  #partial: Uint8Array | undefined;
  #partialLength = 0;

  /** `bytes` must stay valid until `next` has returned false. */
  push(bytes: Uint8Array, start: number, end: number): void {
    this.#source = bytes;
    this.#position = start;
    this.#limit = end;
  }

  /** @throws ClusterError ERR_CLUSTER_FRAME for an impossible length */
  next(): boolean {
    if (this.#partial !== undefined) return this.#continue(this.#partial);
    const available = this.#limit - this.#position;
    if (this.#headLength > 0 || available < FRAME_HEAD) return this.#assembleHead();
    const source = this.#source;
    const position = this.#position;
    const length = bodyLength(source, position);
    this.type = source[position + 4] as number;
    this.#position = position + FRAME_HEAD;
    if (available - FRAME_HEAD < length) return this.#begin(length);
    this.bytes = source;
    this.start = this.#position;
    this.end = this.#position + length;
    this.#position = this.end;
    return true;
  }

  /** The header itself was split. */
  #assembleHead(): boolean {
    while (this.#headLength < FRAME_HEAD && this.#position < this.#limit) {
      this.#head[this.#headLength++] = this.#source[this.#position++] as number;
    }
    if (this.#headLength < FRAME_HEAD) return this.#stop();
    this.#headLength = 0;
    this.type = this.#head[4] as number;
    return this.#begin(bodyLength(this.#head, 0));
  }

  #begin(length: number): boolean {
    this.#partial = new Uint8Array(length);
    this.#partialLength = 0;
    return this.#continue(this.#partial);
  }

  #continue(partial: Uint8Array): boolean {
    const count = Math.min(partial.length - this.#partialLength, this.#limit - this.#position);
    partial.set(this.#source.subarray(this.#position, this.#position + count), this.#partialLength);
    this.#partialLength += count;
    this.#position += count;
    if (this.#partialLength < partial.length) return this.#stop();
    this.#partial = undefined;
    this.bytes = partial;
    this.start = 0;
    this.end = partial.length;
    return true;
  }

  #stop(): boolean {
    this.#source = NOTHING;
    this.#position = 0;
    this.#limit = 0;
    return false;
  }
}

function bodyLength(bytes: Uint8Array, at: number): number {
  const length =
    (bytes[at] as number) * 0x1000000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
  if (length > MAX_BODY) throw malformed(`a body of ${length} bytes`);
  return length;
}
