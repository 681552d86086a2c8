export { contentsOf, type SessionContents, type StoreContents } from "./contents.ts";
export { type DescribeStoreOptions, describeStore, type StoreFixture } from "./describe-store.ts";
export { FaultyStore } from "./faulty-store.ts";
export { randomBatches } from "./random-ops.ts";
export { sampleEntry, sampleMessage, sampleOutboxEntry, sampleSession, sampleSubscription } from "./samples.ts";
