// What merges of several commands share.

type NumberKey<T> = { [Key in keyof T]: T[Key] extends number ? Key : never }[keyof T];

export function sumOf<T>(parts: readonly T[], key: NumberKey<T>): number {
  return parts.reduce((sum, part) => sum + (part[key] as number), 0);
}

export function largestOf<T>(parts: readonly T[], key: NumberKey<T>): number {
  return Math.max(...parts.map((part) => part[key] as number));
}

/** Sums by name. */
export function sumsOf(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

/** The largest by name. */
export function largestsOf(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const largest: Record<string, number> = {};
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) largest[name] = Math.max(largest[name] ?? value, value);
  }
  return largest;
}
