// Requests of a client, right and wrong, for property tests.
import fc from "fast-check";

export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const usual: string[] = [
  "Host: 127.0.0.1:8083",
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Key: ${KEY}`,
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: mqtt",
];

export function requestOf(lines: readonly string[], head = ""): Buffer {
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${head}`, "latin1");
}

const anyValue = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "keep-alive, Upgrade",
    "UPGRADE",
    "close",
    "chunked",
    "5",
    "100-continue",
    "a\tb",
    "ä",
    "a\u0000",
    "x\r y",
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 5 }).map((text) => Buffer.from(text).toString("latin1")),
);
const anyName = fc.oneof(
  fc.constantFrom(
    "Host",
    "Upgrade",
    "Connection",
    "Cookie",
    "Origin",
    "X-Forwarded-For",
    "Content-Length",
    "constructor",
  ),
  fc.constantFrom("Transfer-Encoding", "Expect", "TE", "__proto__", "Set-Cookie", "Keep-Alive", "bad name", "", "x:y"),
  fc.string({ maxLength: 6 }),
);
const anyLine = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...usual) },
  {
    weight: 3,
    arbitrary: fc.tuple(anyName, fc.constantFrom(":", ": ", " : ", ":  \t"), anyValue).map((it) => it.join("")),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 10 }) },
);
const anyFirst = fc.oneof(
  { weight: 6, arbitrary: fc.constant("GET /mqtt HTTP/1.1") },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "GET / HTTP/1.1",
      "GET /mqtt?a=%20b HTTP/1.1",
      "GET /a|b HTTP/1.1",
      "GET  /mqtt HTTP/1.1",
      "GET /mqtt HTTP/1.0",
      "POST /mqtt HTTP/1.1",
      "get /mqtt HTTP/1.1",
      "GET http://host/mqtt HTTP/1.1",
      "GET /mqtt#a HTTP/1.1",
      "GET /\u00e4 HTTP/1.1",
      "GET /mqtt HTTP/1.1 ",
      "",
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);

/** The lines of a usual request, sometimes with one missing or in another order, and up to three others. */
export const requestLines: fc.Arbitrary<string[]> = fc
  .tuple(
    anyFirst,
    fc.oneof(fc.shuffledSubarray(usual, { minLength: 5 }), fc.constant(usual)),
    fc.array(anyLine, { maxLength: 3 }),
  )
  .map(([first, most, more]) => [first, ...most, ...more]);
