import { expect, test } from "vitest";
import { firstBytesProblem } from "../../src/connection/first-bytes.ts";

const text = (characters: string): number[] => [...characters].map((character) => character.charCodeAt(0));

/** Of these bytes alone, with others around them. */
function problemOf(bytes: readonly number[]): string | undefined {
  return firstBytesProblem(Uint8Array.of(0x10, 0x10, ...bytes, 0x03, 0x01), 2, 2 + bytes.length);
}

test.each([
  ["TLS", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]],
  ["HTTP", text("GET / HTTP/1.1\r\n")],
  ["HTTP", text("POST /mqtt HTTP/1.1\r\n")],
  ["a PROXY header", text("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n")],
  ["a PROXY header", [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]],
])("who speaks %s is told apart", (name, bytes) => {
  expect(problemOf(bytes)).toBe(`the first packet is not CONNECT: it looks like ${name}`);
});

test.each([[[0xc0, 0x00]], [text("G")], [text("\r\n")], [text("PU")]])("nothing is guessed from %j", (bytes) => {
  expect(problemOf(bytes)).toBe("the first packet is not CONNECT");
});

test("CONNECT, and what may become one", () => {
  expect(
    problemOf([0x10, 0x0d, 0x00, 0x04, ...text("MQTT"), 0x04, 0x02, 0x00, 0x3c, 0x00, 0x01, 0x61]),
  ).toBeUndefined();
  expect(problemOf([0x10])).toBeUndefined();
  // Its flags are wrong, but it is the codec that says so.
  expect(problemOf([0x16])).toBeUndefined();
});
