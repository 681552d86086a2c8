// The door `@wrenmq/workers/data`: where the stores of the workers lie. It loads no broker.
export { prepareData } from "./reshard.ts";
export { removeLeftovers, type Shards, shardPath, shardsIn, storePath } from "./shards.ts";
