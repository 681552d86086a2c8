// Lines of a trace on the page of a client.
import type { TraceRecord } from "@wrenmq/admin/trace";
import { expect, test } from "vitest";
import { isFailure, shownBytes } from "../../web/pure/packets.ts";

const about = { at: 0, client: "c", connection: 1 } as const;
const packet = (one: object): TraceRecord => ({ ...about, kind: "packet", direction: "out", packet: one as never });

test("what does not go as the client wants is a failure", () => {
  expect(isFailure(packet({ type: "puback", packetId: 1, reasonCode: 0x10 }))).toBe(false);
  expect(isFailure(packet({ type: "puback", packetId: 1, reasonCode: 0x87 }))).toBe(true);
  expect(isFailure(packet({ type: "suback", packetId: 1, reasonCodes: [1, 0x87] }))).toBe(true);
  expect(isFailure(packet({ type: "suback", packetId: 1, reasonCodes: [1, 2] }))).toBe(false);
  expect(isFailure(packet({ type: "pingreq" }))).toBe(false);
  expect(isFailure({ ...about, kind: "disconnected", reasonCode: 0x8d })).toBe(true);
  expect(isFailure({ at: 0, kind: "lost", records: 1 })).toBe(true);
});

test("bytes are shown where the trace has them", () => {
  expect(shownBytes({ length: 2, utf8: "hi" })).toEqual({ bytes: 2, encoding: "utf8", payload: "hi" });
  expect(shownBytes({ length: 9, base64: "/wA=", truncated: true })).toEqual({
    bytes: 9,
    encoding: "base64",
    payload: "/wA=",
    truncated: true,
  });
  expect(shownBytes({ length: 0 })).toEqual({ bytes: 0, encoding: "utf8", payload: "" });
  expect(shownBytes({ length: 5 })).toBeUndefined();
});
