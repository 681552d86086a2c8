// Names of clients that different workers of one broker serve.
import { homeOf } from "@wrenmq/cluster";

/** A name that begins with `prefix` and has another home, of `homes`, than `name`. */
export function awayFrom(name, prefix, homes) {
  for (let number = 0; ; number++) {
    const other = `${prefix}-${number}`;
    if (homeOf(other, homes) !== homeOf(name, homes)) return other;
  }
}
