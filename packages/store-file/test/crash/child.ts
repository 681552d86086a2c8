// Goes on with the history for ever and says after each batch, when it is durable, which it was. Made to be killed.
import { writeSync } from "node:fs";
import { FileStore } from "../../src/index.ts";
import { batchAt, progressOf } from "./history.ts";

const [path = "", durability = "batch"] = process.argv.slice(2);
const store = new FileStore({ path, durability: durability === "fsync" ? "fsync" : "batch", segmentBytes: 20_000 });
store.open();

const MOST_AT_ONCE = 4;
const underWay: Promise<void>[] = [];

for (let n = progressOf(store) + 1; ; n++) {
  const durable = store.apply(batchAt(n));
  if (durable === undefined) writeSync(1, `${n}\n`);
  else {
    underWay.push(durable.then(() => void writeSync(1, `${n}\n`)));
    if (underWay.length >= MOST_AT_ONCE) await underWay.shift();
  }
  // Lets cleaning happen.
  if (n % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
}
