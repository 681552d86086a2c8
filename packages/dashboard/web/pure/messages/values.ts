// The numbers in the messages of a topic, over time.
import { numbersIn, type Path, pathText, valueAt } from "../json/json.ts";
import type { Message } from "./message.ts";
import { jsonIn } from "./payload.ts";

/** Messages, from the last one, that are looked at for numbers. */
const LOOKED_AT = 5;
const MOST = 100;
const MICROSECOND = 0.001;

/** By the text of the path; a payload that is a number has the empty path. */
export function numberPaths(history: readonly Message[]): ReadonlyMap<string, Path> {
  const found = new Map<string, Path>();
  for (const message of history.slice(-LOOKED_AT).toReversed()) {
    for (const path of numbersIn(jsonIn(message), MOST)) if (found.size < MOST) found.set(pathText(path), path);
  }
  return found;
}

export interface Values {
  /** Epoch milliseconds, each later than the one before, as plots want it. */
  readonly times: readonly number[];
  /** null: there was no number. */
  readonly values: readonly (number | null)[];
}

export function valuesOf(history: readonly Message[], path: Path): Values {
  let last = Number.NEGATIVE_INFINITY;
  return {
    times: history.map(({ at }) => {
      last = Math.max(at, last + MICROSECOND);
      return last;
    }),
    values: history.map((message) => {
      const value = valueAt(jsonIn(message), path);
      return typeof value === "number" ? value : null;
    }),
  };
}
