// Compares a value with an expectation, of which only the given fields count.

/** Where `actual` differs from `expected`, in words; undefined: it does not. */
export function difference(actual: unknown, expected: unknown, path: string = ""): string | undefined {
  if (expected instanceof Uint8Array || Array.isArray(expected)) {
    if (!(actual instanceof Uint8Array) && !Array.isArray(actual)) return told(path, actual, expected);
    if (actual.length !== expected.length) return told(path, actual, expected);
    for (let index = 0; index < expected.length; index++) {
      const found = difference(actual[index], expected[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof expected === "object" && expected !== null) {
    if (typeof actual !== "object" || actual === null) {
      return Object.values(expected).every((value) => value === undefined) && actual === undefined
        ? undefined
        : told(path, actual, expected);
    }
    for (const [key, value] of Object.entries(expected)) {
      const found = difference((actual as Record<string, unknown>)[key], value, path === "" ? key : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return Object.is(actual, expected) ? undefined : told(path, actual, expected);
}

function told(path: string, actual: unknown, expected: unknown): string {
  return `${path}: ${show(actual)} instead of ${show(expected)}`;
}

export function show(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Uint8Array
        ? `<${inner.length} bytes ${new TextDecoder().decode(inner.subarray(0, 40))}>`
        : inner,
    ) ?? "nothing"
  );
}
