// Retained messages and their stamps.
import type { StoredMessage } from "@wrenmq/protocol";
import { describe, expect, it } from "vitest";
import type { StoreOp } from "../../store.ts";
import { contentsOf } from "../contents.ts";
import { sampleMessage } from "../samples.ts";
import type { TestedStore } from "./tested-store.ts";

export function describeRetained(tested: TestedStore): void {
  const { put, both } = tested;

  describe("stamps of retained messages", () => {
    it("are kept with the message, and after it was cleared, until the topic is deleted", async () => {
      const message = (name: string): StoredMessage => sampleMessage({ topic: name, retain: true });
      await put(
        { op: "putRetained", message: message("a"), setAt: 2 ** 52 + 1 },
        { op: "putRetained", message: message("b"), setAt: 3 },
        { op: "putRetained", message: message("c") },
        { op: "putRetained", message: message("d"), setAt: 4 },
        { op: "putRetained", message: message("e"), setAt: 5 },
      );
      await put(
        { op: "clearRetained", topic: "b", setAt: 6 },
        { op: "clearRetained", topic: "new", setAt: 7 },
        { op: "deleteRetained", topic: "d" },
        { op: "putRetained", message: message("e") },
      );
      await both(() => {
        expect([...tested.store.retained()].map(({ topic: name }) => name).sort()).toEqual(["a", "c", "e"]);
        expect(tested.store.stats().retained).toBe(3);
        expect(contentsOf(tested.store).stamps).toEqual({
          a: { topic: "a", setAt: 2 ** 52 + 1, isSet: true },
          b: { topic: "b", setAt: 6, isSet: false },
          new: { topic: "new", setAt: 7, isSet: false },
        });
      });
      await put({ op: "deleteRetained", topic: "b" }, { op: "putRetained", message: message("new"), setAt: 8 });
      await both(() => {
        const { stamps } = contentsOf(tested.store);
        expect([stamps["b"], stamps["new"]]).toEqual([undefined, { topic: "new", setAt: 8, isSet: true }]);
      });
    });
  });

  describe("retained messages", () => {
    it("keeps the last for each topic", async () => {
      const retained = (topic: string, byte: number): StoreOp => ({
        op: "putRetained",
        message: sampleMessage({ topic, payload: new Uint8Array([byte]), retain: true }),
      });
      await put(retained("a", 1), retained("b", 2), retained("a", 3));
      await put(retained("b", 4), { op: "deleteRetained", topic: "c" });
      await both(() => {
        const { retained: held } = contentsOf(tested.store);
        expect(
          Object.entries(held)
            .map(([topic, { payload }]) => [topic, payload[0]])
            .sort(),
        ).toEqual([
          ["a", 3],
          ["b", 4],
        ]);
        expect(tested.store.stats().retained).toBe(2);
      });
      await put({ op: "deleteRetained", topic: "a" });
      await both(() => expect(Object.keys(contentsOf(tested.store).retained)).toEqual(["b"]));
    });
  });
}
