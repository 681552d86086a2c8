// Names for clients that different workers of one broker are to serve.
import { homeOf } from "@wrenmq/cluster";

/** A name that begins with `prefix` and whose home among `homes` is another one than that of `name`. */
export function awayFrom(name, prefix, homes) {
  for (let number = 0; ; number++) {
    const other = `${prefix}-${number}`;
    if (homeOf(other, homes) !== homeOf(name, homes)) return other;
  }
}
