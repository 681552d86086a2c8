// The short way of reading a request against Node's HTTP parser: what it reads is what Node reads, everything else it leaves.
import { createServer, type IncomingHttpHeaders } from "node:http";
import { Duplex } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPlainRequest } from "../../src/websocket/plain-request.ts";
import { KEY, requestLines, requestOf, usual } from "./requests.ts";

interface Read {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  head: string;
}

/** What Node's server makes of these bytes; undefined: no upgrade. */
async function nodeReads(bytes: Buffer): Promise<Read | undefined> {
  const server = createServer();
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const answer = new Promise<Read | undefined>((resolve) => {
    server.on("upgrade", ({ method, url, headers }, _socket, head: Buffer) =>
      resolve({ method, url, headers: { ...headers }, head: head.toString("latin1") }),
    );
    server.on("request", () => resolve(undefined));
    server.on("clientError", () => resolve(undefined));
    server.on("checkContinue", () => resolve(undefined));
    socket.on("finish", () => resolve(undefined));
  });
  server.emit("connection", socket);
  socket.push(bytes);
  socket.push(null);
  const read = await answer;
  socket.destroy();
  return read;
}

test("a request that is read the short way is what Node's parser reads, with the bytes behind it", async () => {
  let short = 0;
  await fc.assert(
    fc.asyncProperty(requestLines, fc.constantFrom("", "\u0082\u0080abcd", "\r\n\r\n"), async (lines, head) => {
      const bytes = requestOf(lines, head);
      const plain = readPlainRequest(bytes, 0, bytes.length);
      if (plain === undefined) return;
      short++;
      const { method, url, headers } = plain.request;
      const read = { method, url, headers, head: bytes.toString("latin1", plain.end) };
      expect(read).toEqual(await nodeReads(bytes));
    }),
    { numRuns: 1_500 },
  );
  expect(short).toBeGreaterThan(100);
});

test.each([
  [
    "of browsers",
    [
      "Connection: keep-alive, Upgrade",
      "Origin: https://example.org",
      "Cookie: a=b; c=d",
      "User-Agent: Mozilla/5.0 (X11)",
    ],
  ],
  ["of Paho", ["Origin: http://127.0.0.1:8083"]],
  ["of a proxy", ["X-Forwarded-For: 192.0.2.1, 198.51.100.7", "X-Forwarded-Proto: https"]],
])("the usual request %s is read the short way", (_, more) => {
  const names = more.map((line) => line.split(":")[0]);
  const lines = usual.filter((line) => !names.includes(line.split(":")[0]));
  const bytes = requestOf(["GET /mqtt HTTP/1.1", ...lines, ...more], "\u0082");
  // In the middle of something else, as it comes from a socket.
  const plain = readPlainRequest(Buffer.concat([Buffer.from("\r\n\r\n"), bytes]), 4, bytes.length + 4);
  expect(plain?.request.url).toBe("/mqtt");
  expect(plain?.request.headers["sec-websocket-key"]).toBe(KEY);
});

test.each([
  ["in two pieces", requestOf(["GET /mqtt HTTP/1.1", ...usual]).subarray(0, -1)],
  ["with a header twice", requestOf(["GET /mqtt HTTP/1.1", ...usual, "Host: other"])],
  ["with a body", requestOf(["GET /mqtt HTTP/1.1", ...usual, "Content-Length: 3"], "abc")],
  ["with a chunked body", requestOf(["GET /mqtt HTTP/1.1", ...usual, "Transfer-Encoding: chunked"])],
  ["with a folded header", requestOf(["GET /mqtt HTTP/1.1", ...usual, "X: a", " b"])],
  ["with a bare line feed", requestOf(["GET /mqtt HTTP/1.1", ...usual, "X: a\nY: b"])],
  ["without Host", requestOf(["GET /mqtt HTTP/1.1", ...usual.slice(1)])],
  ["that is no upgrade", requestOf(["GET /mqtt HTTP/1.1", ...usual.filter((line) => !line.startsWith("Connection"))])],
  ["with more than 4,096 bytes", requestOf(["GET /mqtt HTTP/1.1", ...usual, `Cookie: ${"a".repeat(4_096)}`])],
  ["of TLS", Buffer.from([0x16, 3, 1, 0, 0])],
])("a request %s is left to Node's parser", (_, bytes) => {
  expect(readPlainRequest(bytes, 0, bytes.length)).toBeUndefined();
});
