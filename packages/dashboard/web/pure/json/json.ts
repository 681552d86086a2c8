// JSON of publishers: anything may be in it, so it is read only where it is not nested too deep for what walks it.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

const DEEPEST = 64;

/** undefined: it is no JSON, or nested too deep */
export function jsonOf(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isDeeper(value, DEEPEST) ? undefined : value;
  } catch {
    return undefined;
  }
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner: Json) => isDeeper(inner, levels - 1));
}

/** Names and numbers that lead to a value inside another one. */
export type Path = readonly (string | number)[];

/** `a.b[0]["x y"]`; the whole value: the empty text */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  let found: Json | undefined = value;
  for (const step of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Readonly<Record<string | number, Json>>)[step];
  }
  return found;
}

/** The paths of numbers, in their order. */
export function numbersIn(value: Json | undefined, most = 100): Path[] {
  const found: Path[] = [];
  const visit = (inner: Json | undefined, path: Path): void => {
    if (found.length >= most) return;
    if (typeof inner === "number") found.push(path);
    else if (typeof inner === "object" && inner !== null) {
      for (const [step, one] of entriesOf(inner)) visit(one, [...path, step]);
    }
  };
  visit(value, []);
  return found;
}

export function entriesOf(
  value: readonly Json[] | { readonly [name: string]: Json },
): (readonly [string | number, Json])[] {
  return isList(value) ? value.map((one, index) => [index, one] as const) : Object.entries(value);
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
