// Removes from the stream what the journal has removed: when its oldest file has gone and all that was written before is
// acknowledged, the messages before those of the next file. Nothing waits for it: what is not removed today is tomorrow.
import type { JournalStream } from "../stream/journal-stream.ts";

export class Purger {
  readonly #stream: Pick<JournalStream, "purge">;
  readonly #failed: (error: unknown) => void;
  /** Where files begin in the stream, in order. */
  #begins: { readonly file: number; readonly sequence: number }[] = [];
  /** Files that are gone, with the last frame that was written before. */
  readonly #dropped: { readonly file: number; readonly position: number }[] = [];
  #acknowledged = 0;
  /** The first message that is needed, and the same as the stream knows it. */
  #first = 0;
  #purged = 0;
  #isBusy = false;

  constructor(stream: Pick<JournalStream, "purge">, failed: (error: unknown) => void) {
    this.#stream = stream;
    this.#failed = failed;
  }

  /** A message has the first frames of the file. Messages and files come in order. */
  begins(file: number, sequence: number): void {
    if (file !== this.#begins.at(-1)?.file) this.#begins.push({ file, sequence });
  }

  dropped(file: number, position: number): void {
    this.#dropped.push({ file, position });
    this.#proceed();
  }

  /** Everything up to this frame is in the stream. */
  acknowledged(position: number): void {
    this.#acknowledged = position;
    this.#proceed();
  }

  #proceed(): void {
    for (let next = this.#dropped[0]; next !== undefined; next = this.#dropped[0]) {
      const { file, position } = next;
      const later = this.#begins.findIndex((one) => one.file > file);
      if (position > this.#acknowledged || later < 0) break;
      this.#dropped.shift();
      this.#begins = this.#begins.slice(later);
      this.#first = this.#begins[0]?.sequence ?? this.#first;
    }
    if (this.#first > this.#purged && !this.#isBusy) void this.#purge();
  }

  /** Once: the next acknowledgement tries again. */
  async #purge(): Promise<void> {
    this.#isBusy = true;
    const first = this.#first;
    try {
      await this.#stream.purge(first);
      this.#purged = first;
    } catch (error) {
      this.#failed(error);
    }
    this.#isBusy = false;
  }
}
