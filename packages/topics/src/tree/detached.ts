// Text that stays in the trees.

const COPY_CHUNK = 1024;

/**
 * The same text in memory of its own. Engines let a longer substring point into the text it was cut from, so a
 * twenty-character level that stays in the tree could keep a 65,535-byte filter alive that is long gone.
 */
export function detached(text: string): string {
  if (text.length < 13) return text; // V8 copies these anyway
  let copy = "";
  for (let start = 0; start < text.length; start += COPY_CHUNK) {
    const units: number[] = [];
    const end = Math.min(text.length, start + COPY_CHUNK);
    for (let i = start; i < end; i++) units.push(text.charCodeAt(i));
    copy += String.fromCharCode(...units);
  }
  return copy;
}
