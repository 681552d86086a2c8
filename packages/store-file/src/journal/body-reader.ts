// Reads message bodies from the files of a journal. Only a few files are kept open: a long queue may be spread over
// thousands.
import { closeSync, openSync, readSync } from "node:fs";
import { StoreError } from "@wrenmq/store";
import type { Place } from "./place.ts";

const MAX_OPEN = 32;

export class BodyReader {
  readonly #pathOf: (file: number) => string;
  readonly #open = new Map<number, number>();

  constructor(pathOf: (file: number) => string) {
    this.#pathOf = pathOf;
  }

  /** @throws StoreError ERR_STORE_DAMAGED when the file is shorter than it was */
  read(place: Place): Buffer {
    const bytes = Buffer.allocUnsafe(place.length);
    const fd = this.#fd(place.file);
    let got = 0;
    while (got < place.length) {
      const read = readSync(fd, bytes, got, place.length - got, place.offset + got);
      if (read === 0) throw new StoreError("ERR_STORE_DAMAGED", `journal file ${place.file} has been cut short`);
      got += read;
    }
    return bytes;
  }

  /** Closes a file before it is removed. */
  forget(file: number): void {
    const fd = this.#open.get(file);
    if (fd === undefined) return;
    this.#open.delete(file);
    closeSync(fd);
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #fd(file: number): number {
    const known = this.#open.get(file);
    if (known !== undefined) return known;
    const [oldest] = this.#open.keys();
    if (this.#open.size >= MAX_OPEN && oldest !== undefined) this.forget(oldest);
    const fd = openSync(this.#pathOf(file), "r");
    this.#open.set(file, fd);
    return fd;
  }
}
