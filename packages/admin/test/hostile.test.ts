// What a hostile client of the admin API does: it gets a problem or the end of its connection, and the broker goes on.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { OpensslAuthority, type OpensslFiles } from "../../transport/test/openssl.ts";
import type { AdminHttp } from "../src/http/index.ts";
import {
  answerOf,
  dial,
  expectProblem,
  rawRequest,
  requestText,
  untilClosed,
  type Wish,
  whenClosed,
} from "./support/raw-http.ts";
import { ServedBroker } from "./support/served-broker.ts";

const served = new ServedBroker();
let http: AdminHttp;

beforeAll(() => served.start());
afterAll(() => served.stop());
beforeEach(async () => {
  http = await served.open();
});
afterEach(() => served.closeApi());

const LIST = "/api/v1/clients.list";
const KICK = "/api/v1/clients.kick";

const ask = (path: string, wish: Wish = {}): Promise<string> => rawRequest(http.address, requestText(path, wish));
/** By somebody who may do everything. */
const askAsAdmin = (path: string, wish: Wish = {}): Promise<string> =>
  ask(path, { token: served.tokens.admin, ...wish });
const post = (body: string | Uint8Array, wish: Wish = {}): Promise<string> =>
  askAsAdmin(KICK, { method: "POST", body, ...wish });
const statusOf = (text: string): number => answerOf(text).status;
const closed = (sockets: readonly Socket[]): Promise<unknown> => Promise.all(sockets.map(whenClosed));
/** Nine of ten are closed. */
const mostClosed = (sockets: readonly Socket[]): Promise<void> =>
  new Promise((resolve) => {
    let open = sockets.length;
    for (const socket of sockets) void whenClosed(socket).then(() => --open <= sockets.length / 10 && resolve());
  });

describe("paths", () => {
  test.each([
    "/../../etc/passwd",
    "/api/v1/../v1/clients.list",
    "/api/v1/%2e%2e/v1/clients.list",
    "/healthz/../api/v1/clients.list",
    "/healthz/..",
    "/./healthz",
    "/api/v1//clients.list",
    "//healthz",
    "//localhost/healthz",
    "/healthz/",
    "/healthz%00",
    "/healthz;x",
    "/%68ealthz",
    "/healthz#x",
    "/api\\v1\\clients.list",
    "/api/v1/__proto__",
    "/api/v1/constructor",
    "/api/v1/internal.families",
    "/api/v1/",
    "http://localhost/healthz",
    "http://evil.example/api/v1/clients.list",
    `/${"x/".repeat(3_500)}`,
  ])("%s is nothing", async (path) => {
    expectProblem(await askAsAdmin(path), 404, "not_found");
  });

  test.each(["/health\u0000z", "healthz", "\\healthz", "/\u00ff", "/a b", `/${"x".repeat(20_000)}`])(
    "%j is no request",
    async (path) => {
      expect(await askAsAdmin(path)).toBe("");
    },
  );

  test.each([
    "?limit=1e9",
    "?limit=-1",
    "?limit=%00",
    "?__proto__=x",
    "?constructor=x",
    "?cursor=x&cursor=%ff",
    "?=",
    "?%",
  ])("query %s is a problem", async (query) => {
    expectProblem(await askAsAdmin(LIST + query), 400, "invalid_input");
  });
});

describe("methods", () => {
  test.each(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "POST"])("%s reads nothing", async (method) => {
    for (const path of [LIST, "/healthz", "/metrics", "/openapi.json"]) {
      expectProblem(await askAsAdmin(path, { method }), 405, "not_acceptable");
    }
  });

  test.each(["GET", "HEAD", "PUT", "DELETE"])("%s writes nothing, whatever other header it has", async (method) => {
    const headers = { "x-http-method-override": "POST" };
    const text = await askAsAdmin(KICK, { method, headers });
    expect(statusOf(text)).toBe(405);
  });

  test("a body where none belongs is refused, and not read", async () => {
    expectProblem(await askAsAdmin(LIST, { body: "{}" }), 400, "invalid_input");
    const headers = { "content-length": "1000000000" };
    expectProblem(await ask("/healthz", { headers }), 400, "invalid_input");
  });

  test.each([
    "CONNECT localhost:1 HTTP/1.1",
    "get /healthz HTTP/1.1",
    "GET /healthz HTTP/3.0",
    "PRI * HTTP/2.0",
    "\u0016\u0003\u0001",
  ])("%j is the end of the connection", async (line) => {
    expect(await rawRequest(http.address, `${line}\r\nhost: localhost\r\n\r\n`)).toBe("");
  });

  test("an upgrade, or an expectation, is not met: the request is answered as any other", async () => {
    const headers = { connection: "upgrade, close", upgrade: "websocket" };
    expect(statusOf(await ask("/healthz", { headers }))).toBe(200);
    expect(statusOf(await ask("/healthz", { headers: { expect: "the impossible" } }))).toBe(200);
  });

  test("two lengths, or a length and chunks, are no request: nothing is smuggled", async () => {
    const head = `POST ${KICK} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${served.tokens.admin}\r\n`;
    for (const lengths of [
      "content-length: 2\r\ncontent-length: 3\r\n",
      "content-length: 2\r\ntransfer-encoding: chunked\r\n",
      "transfer-encoding: gzip, identity\r\n",
    ]) {
      expect(await rawRequest(http.address, `${head}${lengths}\r\n{}GET /healthz HTTP/1.1\r\n\r\n`)).toBe("");
    }
  });
});

describe("bodies", () => {
  test.each([
    "{",
    "[",
    "null",
    "[]",
    '"x"',
    "1e999",
    "{}{}",
    '{"clientId":"c"',
    "\u0000",
    "\u00ff\u00fe",
    '{"clientId":1}',
    '{"clientId":["c"]}',
    '{"__proto__":{"clientId":"c"}}',
    '{"constructor":{"prototype":{}}}',
    "[".repeat(100_000),
    `{"${"x".repeat(1_000_000)}":1}`,
    `{${Array.from({ length: 50_000 }, (_, index) => `"k${index}":1`).join()}}`,
  ])("%.40s is a problem", async (body) => {
    expectProblem(await served.during(() => post(body)), 400, "invalid_input");
  });

  test.each(["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json-seq"])(
    "of type %j is not read",
    async (type) => {
      expectProblem(await post('{"clientId":"c"}', { headers: { "content-type": type } }), 405, "not_acceptable");
    },
  );

  test("that is compressed is not unpacked", async () => {
    const headers = { "content-encoding": "gzip" };
    expectProblem(await post("\u001f\u008b\u0008\u0000", { headers }), 400, "invalid_input");
  });

  /** Sends as long as it is taken. @returns the bytes, and the answer */
  async function pour(head: string, chunk: string): Promise<{ readonly sent: number; readonly seen: string }> {
    const socket = dial(http.address);
    const all = untilClosed(socket);
    socket.write(head);
    while (!socket.destroyed && socket.writable) {
      if (socket.write(chunk)) continue;
      await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
    }
    return { seen: await all, sent: socket.bytesWritten };
  }
  const huge = (path: string, token: string, length = "content-length: 1000000000"): string =>
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n` +
    `content-type: application/json\r\n${length}\r\n\r\n`;
  const MEBIBYTE = "x".repeat(1_048_576);

  test("that is huge is taken to its bound; that of a stranger not at all", async () => {
    const { sent, seen } = await served.during(() => pour(huge(KICK, served.tokens.admin), MEBIBYTE));
    // The answer may be lost when the connection is closed with bytes unread.
    if (seen !== "") expectProblem(seen, 413, "too_large");
    expect(sent).toBeLessThan(64 * 1_048_576);
    const strangers = await served.during(() => pour(huge(KICK, "stranger"), MEBIBYTE));
    if (strangers.seen !== "") expectProblem(strangers.seen, 401, "unauthorized");
    expect(strangers.sent).toBeLessThan(64 * 1_048_576);
  });

  test("that is huge in small pieces is taken to its bound too", async () => {
    const piece = `10000\r\n${"x".repeat(0x1_0000)}\r\n`;
    const head = huge(KICK, served.tokens.admin, "transfer-encoding: chunked");
    const { sent } = await served.during(() => pour(head, piece));
    expect(sent).toBeLessThan(64 * 1_048_576);
  });
});

describe("slow clients", () => {
  /** Sends a little at a time until the server has enough. */
  async function trickle(begin: string, piece: string): Promise<string> {
    const socket = dial(http.address);
    const all = untilClosed(socket);
    socket.write(begin);
    const timer = setInterval(() => socket.write(piece), 20);
    const seen = await all;
    clearInterval(timer);
    return seen;
  }

  test("of headers and of bodies are cut off", async () => {
    const head = `POST ${KICK} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${served.tokens.admin}\r\n`;
    const [headers, body, nothing] = await served.during(() =>
      Promise.all([
        trickle("GET /healthz HTTP/1.1\r\n", "x: y\r\n"),
        trickle(`${head}content-type: application/json\r\ncontent-length: 100000\r\n\r\n`, " "),
        trickle("", ""),
      ]),
    );
    expect([headers, body, nothing]).toEqual(["", "", ""]);
  });

  test("who does not read a stream gets what fits, and is cut off", async () => {
    const socket = dial(http.address);
    socket.write(
      requestText("/api/v1/messages.watch?filter=flood&payloadBytes=65536", { token: served.tokens.operate }),
    );
    // The answer has begun.
    await once(socket, "readable");
    await served.during(async () => {
      for (let number = 0; number < 2_000; number++) {
        served.broker.publish("flood", "x".repeat(60_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
      // The server does not wait for it any longer.
      await expect.poll(() => http.connections, { timeout: 10_000 }).toBe(0);
    });
    let received = 0;
    socket.on("data", (bytes: Buffer) => {
      received += bytes.length;
    });
    await closed([socket]);
    expect(received).toBeLessThan(32 * 1_048_576);
  });
});

describe("many", () => {
  test("connections: strangers make room for each other; who is known goes on, and gets in", async () => {
    // Nobody is cut off for being slow.
    http = await served.open({ bounds: { headersTimeout: 60_000, requestTimeout: 60_000 } });
    const known = dial(http.address);
    const request = requestText(LIST, { token: served.tokens.read, headers: { connection: "keep-alive" } });
    known.write(request);
    const [first] = (await once(known, "data")) as [Buffer];
    expect(statusOf(first.toString())).toBe(200);
    const strangers = Array.from({ length: 1_000 }, () => dial(http.address));
    await served.during(async () => {
      await mostClosed(strangers);
      expect(http.connections).toBeLessThanOrEqual(100);
      expect(statusOf(await ask(LIST, { token: served.tokens.read }))).toBe(200);
      known.write(request);
      const [second] = (await once(known, "data")) as [Buffer];
      expect(statusOf(second.toString())).toBe(200);
    });
    for (const socket of [known, ...strangers]) socket.destroy();
    await closed(strangers);
  });

  test("requests of a stranger: there is a limit, and then the connection ends", async () => {
    const strangersRate = { perSecond: 0, burst: 20 };
    http = await served.open({ bounds: { strangersRate } });
    const paths = ["/healthz", "/openapi.json", LIST, "/nothing"];
    await served.during(async () => {
      for (let number = 0; number < 20; number++) {
        expect(statusOf(await ask(paths[number % 4] ?? ""))).toBe(number % 4 < 2 ? 200 : 401);
      }
      for (const path of paths) {
        const headers = { connection: "keep-alive" };
        const text = await ask(path, { headers });
        expectProblem(text, 429, "too_many_requests");
        expect(answerOf(text).headers.get("retry-after")).toBe("1");
      }
    });
    // It does not count against those who have a token.
    expect(statusOf(await ask(LIST, { token: served.tokens.read }))).toBe(200);
  });

  test("requests in one piece: the broker answers in between", async () => {
    http = await served.open({ bounds: { strangersRate: { perSecond: 0, burst: 50 } } });
    const one = requestText("/openapi.json", { headers: { connection: "keep-alive" } });
    const text = await served.during(() => rawRequest(http.address, Buffer.concat(Array(2_000).fill(one))));
    // The last answers may be lost when the connection is closed with bytes unread.
    expect([...text.matchAll(/^HTTP\/1\.1 200 /gm)].length).toBeLessThanOrEqual(50);
  });
});

describe("with TLS", () => {
  let authority: OpensslAuthority;
  let files: OpensslFiles;
  beforeAll(() => {
    authority = new OpensslAuthority("Our authority");
    files = authority.issue("/CN=localhost", { use: "server" });
  });
  afterAll(() => authority.remove());
  beforeEach(async () => {
    http = await served.open({ tls: { certificateFile: files.cert, keyFile: files.key } });
  });

  const dialTls = (options: ConnectionOptions = {}): TLSSocket => {
    const ca = readFileSync(authority.cert);
    const { port } = new URL(http.address);
    return connectTls({ host: "127.0.0.1", port: Number(port), servername: "localhost", ca, ...options });
  };
  async function askTls(path: string, wish: Wish = {}): Promise<string> {
    const socket = dialTls().on("error", () => {});
    socket.write(requestText(path, wish));
    return untilClosed(socket);
  }

  test("a caller who checks the certificate is served; a problem is a problem", async () => {
    expect(http.address).toMatch(/^https:/);
    expect(statusOf(await askTls(LIST, { token: served.tokens.read }))).toBe(200);
    expectProblem(await askTls(LIST), 401, "unauthorized");
    expectProblem(await askTls("/api/v1/../v1/clients.list", { token: served.tokens.read }), 404, "not_found");
  });

  test("what is no TLS, and TLS of the last century, is the end of the connection", async () => {
    expect(await ask("/healthz")).not.toContain("200");
    const old = dialTls({ maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" });
    const [error] = (await once(old, "error")) as [Error];
    expect(error.message).toMatch(/alert|version|protocol/i);
  });

  test("handshakes that do not go on shut nobody out, and end", async () => {
    const silent = Array.from({ length: 1_000 }, () => dial(http.address));
    await served.during(async () => {
      await mostClosed(silent);
      expect(statusOf(await askTls(LIST, { token: served.tokens.read }))).toBe(200);
      await closed(silent);
    });
  });
});

describe("other pages of the operator's browser", () => {
  const FOREIGN = [
    "evil.example",
    "localhost.evil.example",
    "localhost:1",
    "127.0.0.1.nip.io",
    "a@localhost",
    "[::1",
    " ",
  ];

  test.each(FOREIGN)("Host %j, as after DNS rebinding, reaches nothing", async (host) => {
    for (const path of [LIST, "/metrics", "/openapi.json", "/session", "/"]) {
      expectProblem(await askAsAdmin(path, { host }), 403, "forbidden");
    }
    expectProblem(await post('{"clientId":"c"}', { host }), 403, "forbidden");
    expect(statusOf(await ask("/healthz", { host }))).toBe(200);
  });

  test("without Host only probes are answered", async () => {
    expect(statusOf(await rawRequest(http.address, "GET /healthz HTTP/1.0\r\n\r\n"))).toBe(200);
    expectProblem(await rawRequest(http.address, "GET /openapi.json HTTP/1.0\r\n\r\n"), 403, "forbidden");
  });

  test.each(["http://evil.example", "null", "http://localhost"])(
    "Origin %s changes nothing with a token",
    async (origin) => {
      expectProblem(await post('{"clientId":"c"}', { headers: { origin } }), 403, "forbidden");
    },
  );
});
