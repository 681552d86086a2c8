// Names and messages at the limits of the standard.
import { describe, expect, it } from "vitest";
import type { StoreOp } from "../../store.ts";
import { contentsOf, readQueue } from "../contents.ts";
import { sampleEntry, sampleMessage, sampleSession, sampleSubscription } from "../samples.ts";
import type { TestedStore } from "./tested-store.ts";

export function describeSizes(tested: TestedStore): void {
  const { put, both } = tested;

  describe("sizes", () => {
    it("keeps topics, filters and client identifiers of 65,535 bytes", async () => {
      const long = (letter: string): string => letter.repeat(65_535 / new TextEncoder().encode(letter).length);
      const clientId = long("c");
      await put(
        { op: "putSession", record: sampleSession(clientId, { username: long("u") }) },
        { op: "putSubscription", clientId, filter: long("温"), subscription: sampleSubscription() },
        {
          op: "enqueue",
          clientId,
          entry: sampleEntry(1),
          message: sampleMessage({ topic: long("t"), publisher: clientId }),
        },
        { op: "putRetained", message: sampleMessage({ topic: long("r") }) },
      );
      await both(() => {
        const session = contentsOf(tested.store).sessions[clientId];
        expect(session?.subscriptions[0]?.[0]).toBe(long("温"));
        expect(session?.queue[0]?.message.topic).toBe(long("t"));
        expect([...tested.store.retained()][0]?.topic).toBe(long("r"));
      });
    });

    it("keeps payloads of 0 bytes and of 20 million", { timeout: 60_000 }, async () => {
      const big = new Uint8Array(20_000_000).map((_, i) => i * 7);
      await put(
        { op: "putSession", record: sampleSession("c") },
        { op: "enqueue", clientId: "c", entry: sampleEntry(1), message: sampleMessage({ payload: big }) },
        {
          op: "enqueue",
          clientId: "c",
          entry: sampleEntry(2),
          message: sampleMessage({ payload: new Uint8Array(0) }),
        },
      );
      await both(() => {
        const [first, second] = tested.store.queue("c", 0, 2);
        expect(Buffer.compare(first!.message.payload, big)).toBe(0);
        expect(second?.message.payload.length).toBe(0);
      });
    });

    it("takes batches of thousands of operations, and empty ones", async () => {
      await put();
      const ops: StoreOp[] = [{ op: "putSession", record: sampleSession("c") }];
      for (let seq = 1; seq <= 5000; seq++)
        ops.push({
          op: "enqueue",
          clientId: "c",
          entry: sampleEntry(seq),
          message: sampleMessage({ topic: `t/${seq}` }),
        });
      await put(...ops);
      await put();
      await both(() =>
        expect(readQueue(tested.store, "c", 1000).map(({ message }) => message.topic)).toEqual(
          Array.from({ length: 5000 }, (_, i) => `t/${i + 1}`),
        ),
      );
    });
  });
}
