// A valid topic name, as bytes. It is converted to a string when that is needed.
import { decodeUtf8 } from "@wrenmq/codec";
import { keepBytes, kept } from "../memory/byte-pool.ts";

const DOLLAR = 0x24;

export class Topic {
  /** The name in UTF-8 lies here, from `start` on. */
  bytes: Uint8Array;
  start: number;
  /** Bytes. */
  readonly length: number;
  /**
   * Does the topic own its bytes? Otherwise they belong to the packet in which it came and are valid as long as that
   * is: whatever keeps the topic calls `keep`.
   */
  kept: boolean;
  /** What the router found out about it last time, and when that was; belong to the router. */
  route: unknown = undefined;
  routeStamp: number = -1;
  #name: string | undefined;

  /** @param name if it is known already */
  constructor(bytes: Uint8Array, start: number, length: number, kept: boolean, name?: string) {
    this.bytes = bytes;
    this.start = start;
    this.length = length;
    this.kept = kept;
    this.#name = name;
  }

  get name(): string {
    this.#name ??= decodeUtf8(this.bytes, this.start, this.start + this.length);
    return this.#name;
  }

  /** Does it begin with "$"? [MQTT5 4.7.2] */
  get isReserved(): boolean {
    return this.bytes[this.start] === DOLLAR;
  }

  /** Is this the name that lies between `start` and `end`? */
  equals(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== this.length) return false;
    const own = this.bytes;
    const shift = this.start - start;
    // Names that differ mostly differ at their end.
    for (let index = end - 1; index >= start; index--) if (own[index + shift] !== bytes[index]) return false;
    return true;
  }

  /** Copies the name out of borrowed memory. */
  keep(): void {
    if (this.kept) return;
    keepBytes(this.bytes, this.start, this.start + this.length);
    this.keepAt(kept.bytes, kept.start);
  }

  /** The name has been copied to memory that stays. */
  keepAt(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.start = start;
    this.kept = true;
  }

  /** Writes the name, without its length. @returns where it ends */
  write(target: Uint8Array, position: number): number {
    const { bytes, start } = this;
    const end = start + this.length;
    if (bytes === target) target.copyWithin(position, start, end);
    else target.set(bytes.subarray(start, end), position);
    return position + this.length;
  }
}
