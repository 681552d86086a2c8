// Batches, reads and closing.
import { describe, expect, it } from "vitest";
import { readQueue } from "../contents.ts";
import { sampleEntry, sampleMessage, sampleSession } from "../samples.ts";
import type { TestedStore } from "./tested-store.ts";

export function describeLifecycle(tested: TestedStore): void {
  const { both } = tested;

  describe("lifecycle", () => {
    it("sees in reads what was applied before, durable or not", async () => {
      const durable = tested.store.apply([{ op: "putSession", record: sampleSession("c") }]);
      expect([...tested.store.sessions()]).toHaveLength(1);
      await durable;
    });

    it("takes several batches that are under way at once", async () => {
      const pending: (undefined | Promise<void>)[] = [
        tested.store.apply([{ op: "putSession", record: sampleSession("c") }]),
      ];
      for (let seq = 1; seq <= 50; seq++)
        pending.push(
          tested.store.apply([{ op: "enqueue", clientId: "c", entry: sampleEntry(seq), message: sampleMessage() }]),
        );
      for (const durable of pending) await durable;
      await both(() =>
        expect(readQueue(tested.store, "c", 100).map(({ entry }) => entry.seq)).toEqual(
          Array.from({ length: 50 }, (_, i) => i + 1),
        ),
      );
    });

    it("refuses batches while it is closed", async () => {
      await tested.store.close();
      await expect(
        (async () => tested.store.apply([{ op: "putSession", record: sampleSession("c") }]))(),
      ).rejects.toMatchObject({ name: "StoreError", code: "ERR_STORE_CLOSED" });
      await tested.store.close();
      await tested.store.open();
      expect([...tested.store.sessions()]).toEqual([]);
    });
  });
}
