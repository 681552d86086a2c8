// The position of bytes in the journal.

export interface Place {
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}
