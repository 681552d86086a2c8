// The tests that every store must pass, including stores of others.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.ts";
import { contentsOf } from "./contents.ts";
import { describeLifecycle } from "./contract/lifecycle.ts";
import { describeOutbox } from "./contract/outbox.ts";
import { describeQueues } from "./contract/queues.ts";
import { describeRetained } from "./contract/retained.ts";
import { describeSessions } from "./contract/sessions.ts";
import { describeSizes } from "./contract/sizes.ts";
import { type StoreFixture, testedStore } from "./contract/tested-store.ts";
import { randomBatches } from "./random-ops.ts";

export type { StoreFixture };

export interface DescribeStoreOptions {
  /** Random histories to run. Default 50. */
  readonly runs?: number;
}

/** Declares the tests of a store. Call it at the top level of a test file. */
export function describeStore(
  name: string,
  fixture: () => StoreFixture | Promise<StoreFixture>,
  options: DescribeStoreOptions = {},
): void {
  describe(`store contract: ${name}`, () => {
    const tested = testedStore(fixture);
    describeSessions(tested);
    describeQueues(tested);
    describeRetained(tested);
    describeOutbox(tested);
    describeSizes(tested);
    describeLifecycle(tested);

    it("equals the memory store after any history, also when it is opened again in the middle", {
      timeout: 60_000,
    }, async () => {
      await fc.assert(
        fc.asyncProperty(randomBatches, fc.integer({ min: 0, max: 30 }), async (batches, restartAt) => {
          const own = await fixture();
          let store = await own.make();
          await store.open();
          const model = new MemoryStore();
          model.open();
          try {
            for (const [i, batch] of batches.entries()) {
              if (i === restartAt) {
                await store.close();
                store = await own.make();
                await store.open();
                expect(contentsOf(store)).toEqual(contentsOf(model));
              }
              const durable = store.apply(batch);
              model.apply(batch);
              await durable;
            }
            expect(contentsOf(store)).toEqual(contentsOf(model));
            await store.close();
            store = await own.make();
            await store.open();
            expect(contentsOf(store)).toEqual(contentsOf(model));
          } finally {
            await store.close();
            await own.dispose();
          }
        }),
        { numRuns: options.runs ?? 50 },
      );
    });
  });
}
