// What is different between two JSON values.
import { entriesOf, isList, type Json, type Path, pathText } from "./json.ts";

export interface Change {
  readonly kind: "added" | "removed" | "changed";
  /** Empty: the whole value. */
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}

export interface Diff {
  readonly changes: readonly Change[];
  /** Are there more than are here? */
  readonly more: boolean;
}

/** Elements of lists are compared by their place. */
export function diffOf(before: Json, after: Json, most = 100): Diff {
  const changes: Change[] = [];
  const visit = (one: Json, other: Json, path: Path): void => {
    if (changes.length > most || one === other) return;
    if (isBranch(one) && isBranch(other) && isList(one) === isList(other)) {
      const [old, now] = [new Map(entriesOf(one)), new Map(entriesOf(other))];
      for (const [step, value] of old) {
        const inner = [...path, step];
        const changed = now.get(step);
        if (changed !== undefined) visit(value, changed, inner);
        else changes.push({ kind: "removed", path: pathText(inner), before: value });
      }
      for (const [step, value] of now) {
        if (!old.has(step)) changes.push({ kind: "added", path: pathText([...path, step]), after: value });
      }
    } else changes.push({ kind: "changed", path: pathText(path), before: one, after: other });
  };
  visit(before, after, []);
  return { changes: changes.slice(0, most), more: changes.length > most };
}

function isBranch(value: Json): value is readonly Json[] | { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null;
}
