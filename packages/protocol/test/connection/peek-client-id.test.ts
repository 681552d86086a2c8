// The client identifier of a CONNECT before anybody has decoded it.
import { type ConnectPacket, encode, type ProtocolVersion } from "@wrenmq/codec";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PEEK_MORE, peekClientId } from "../../src/index.ts";

const connect = fc.record({
  clientId: fc.string({ maxLength: 40, unit: "grapheme" }),
  protocolVersion: fc.constantFrom<ProtocolVersion>(3, 4, 5),
  cleanStart: fc.boolean(),
  keepAlive: fc.integer({ min: 0, max: 65_535 }),
  username: fc.string({ maxLength: 10 }).map((name) => name.replaceAll("\0", "")),
  userProperty: fc.string({ maxLength: 300 }).map((name) => name.replaceAll("\0", "")),
});

function bytesOf({ userProperty, ...rest }: typeof connect extends fc.Arbitrary<infer T> ? T : never): Uint8Array {
  const packet: ConnectPacket = { type: "connect", ...rest, clientId: rest.clientId.replaceAll("\0", "") };
  const properties = { userProperties: [["key", userProperty]] as [string, string][], receiveMaximum: 7 };
  return encode(packet.protocolVersion === 5 ? { ...packet, properties } : packet, packet.protocolVersion);
}

test("found in every version, as soon as its last byte is there", () => {
  fc.assert(
    fc.property(connect, (given) => {
      const bytes = bytesOf(given);
      const clientId = given.clientId.replaceAll("\0", "");
      let seen: unknown = PEEK_MORE;
      for (let end = 0; end <= bytes.length; end++) {
        const peeked = peekClientId(bytes, 0, end);
        if (seen === PEEK_MORE) seen = peeked;
        expect(peeked).toBe(seen);
      }
      expect(seen).toBe(clientId);
    }),
  );
});

test("a packet that ends before its client identifier is not waited for", () => {
  fc.assert(
    fc.property(connect, fc.nat(), (given, cut) => {
      const bytes = bytesOf({ ...given, clientId: `${given.clientId}x`, userProperty: "", username: "" });
      if ((bytes[1] as number) >= 0x80) return;
      const length = cut % (bytes[1] as number);
      const short = bytes.slice(0, 2 + length);
      short[1] = length;
      expect(peekClientId(short, 0, short.length)).not.toBe(PEEK_MORE);
    }),
  );
});

test("whatever comes, an answer and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const peeked = peekClientId(new Uint8Array([0x10, ...bytes]), 0, bytes.length + 1);
      expect(peeked === undefined || peeked === PEEK_MORE || typeof peeked === "string").toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(peekClientId(new Uint8Array([0xc0, 0]), 0, 2)).toBeUndefined();
});
