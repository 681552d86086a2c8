// The characters that mean something in topics, as UTF-16 code units.
export const NUL: number = 0x00;
export const HASH: number = 0x23;
export const DOLLAR: number = 0x24;
export const PLUS: number = 0x2b;
export const SLASH: number = 0x2f;

/** The index of the "/" that ends the level beginning at `start`, or the length of the text when it is the last one. */
export function levelEnd(text: string, start: number): number {
  const end = text.indexOf("/", start);
  return end < 0 ? text.length : end;
}
