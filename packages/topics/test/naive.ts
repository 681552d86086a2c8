// The rules of section 4.7 written as plainly as possible: what the fast code is compared with.
import fc from "fast-check";

export function naiveMatches(filter: string, topic: string): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && (wanted[0] === "+" || wanted[0] === "#")) return false;
  if (wanted.at(-1) === "#") {
    const fixed = wanted.slice(0, -1);
    return levels.length >= fixed.length && fixed.every((want, i) => want === "+" || want === levels[i]);
  }
  return levels.length === wanted.length && wanted.every((want, i) => want === "+" || want === levels[i]);
}

/** All sequences of `letters` with 1 to `depth` levels, joined by "/"; never the empty string. */
export function paths(letters: readonly string[], depth: number): string[] {
  const all: string[] = [];
  let longest = letters.map((letter) => [letter]);
  for (let levels = 1; levels <= depth; levels++) {
    for (const path of longest) all.push(path.join("/"));
    longest = longest.flatMap((path) => letters.map((letter) => [...path, letter]));
  }
  return all.filter((path) => path !== "");
}

/** All filters over the words with at most `depth` levels ("#" included). */
export function filtersOver(words: readonly string[], depth: number): string[] {
  const plain = paths([...words, "+"], depth);
  const open = paths([...words, "+"], depth - 1).map((path) => `${path}/#`);
  return [...plain, "#", ...(words.includes("") ? ["/#"] : []), ...open];
}

// Few and short words, so that random paths meet; one long enough that the engine would share its memory.
const word = fc.constantFrom("a", "b", "", "ab", "$x", "a-level-of-some-length", "ä");

export const anyTopic: fc.Arbitrary<string> = fc
  .array(word, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join("/"))
  .filter((topic) => topic !== "");

export const anyFilter: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: word }, fc.constant("+")), { maxLength: 5 }), fc.boolean())
  .map(([levels, open]) => (open ? [...levels, "#"] : levels).join("/"))
  .filter((filter) => filter !== "");
