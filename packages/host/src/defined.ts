type Given<T> = { [Key in keyof T]?: T[Key] | undefined };

/** Drops keys whose value is undefined: with `exactOptionalPropertyTypes` these differ from absent ones. */
export function defined<T extends object>(given: Given<T>): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}
