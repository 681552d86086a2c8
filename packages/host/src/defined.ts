type Given<T> = { [Key in keyof T]?: T[Key] | undefined };

/** Without the keys that are undefined: with `exactOptionalPropertyTypes` those are something else than absent ones. */
export function defined<T extends object>(given: Given<T>): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}
