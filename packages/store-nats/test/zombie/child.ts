// An owner in a process of its own: goes on with the history for ever, says which batches are acknowledged, and in the end
// why there are no more. Made to be stopped, and to go on.
import { writeSync } from "node:fs";
import { connect } from "@nats-io/transport-node";
import { StoreError } from "@wrenmq/store";
import { ReplicatedStore } from "../../src/index.ts";
import { batchAt } from "../support/history.ts";
import { USER } from "../support/nats-servers.ts";

const [directory = "", stream = "", ...urls] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);
const nats = await connect({ servers: urls, ...USER, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
const store = new ReplicatedStore({
  directory,
  stream,
  connection: nats,
  replicas: 1,
  owner: "child",
  segmentBytes: 20_000,
  onDeposed: () => say("deposed"),
});
await store.open();
let underWay: Promise<void> | undefined;
try {
  for (let n = 1; ; n++) {
    const durable = store.apply(batchAt(n))?.then(() => say(String(n)));
    // Two at a time; of two that are rejected the first is enough.
    durable?.catch(() => {});
    await underWay;
    underWay = durable;
    await new Promise((resolve) => setImmediate(resolve));
  }
} catch (error) {
  say(error instanceof StoreError ? error.code : String(error));
}
await store.close();
await nats.close();
