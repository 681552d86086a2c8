// Says that the stream does not answer, and when it does again. One failed attempt is nothing to speak of, and one line
// for all that follow is enough.

export interface TroubleListener {
  began(reason: string): void;
  ended(): void;
}

export class Trouble {
  readonly #listener: TroubleListener;
  #attempts = 0;

  constructor(listener: TroubleListener) {
    this.#listener = listener;
  }

  occurred(error: unknown): void {
    if (++this.#attempts === 2) this.#listener.began(error instanceof Error ? error.message : String(error));
  }

  isOver(): void {
    const wasSaid = this.#attempts >= 2;
    this.#attempts = 0;
    if (wasSaid) this.#listener.ended();
  }
}
