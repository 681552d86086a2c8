// Entry point `@wrenmq/workers/data`: the folders of the workers' stores. Does not load the broker.
export { prepareData } from "./reshard.ts";
export { removeLeftovers, type Shards, shardPath, shardsIn, storePath } from "./shards.ts";
