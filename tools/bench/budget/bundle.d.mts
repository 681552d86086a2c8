/** Bytes of what `source` needs: minified, and compressed as servers do it. */
export function sizeOf(source: string): Promise<{ readonly minified: number; readonly compressed: number }>;
