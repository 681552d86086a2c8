// The admin API over real sockets, as friends and strangers use it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createToken, revokeToken } from "@wrenmq/auth-token";
import { type BrokerFixture, startBroker } from "@wrenmq/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AdminHttp } from "../src/http/index.ts";
import { type Admin, ALL_COMMANDS, createAdmin } from "../src/index.ts";
import { MemoryLogger } from "./support/memory-logger.ts";

let fixture: BrokerFixture;
let admin: Admin;
let http: AdminHttp;
let folder: string;
let tokensFile: string;
const logger = new MemoryLogger();
const tokens: Record<"read" | "operate" | "admin", string> = { read: "", operate: "", admin: "" };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wrenmq-admin-"));
  tokensFile = join(folder, "tokens");
  for (const role of ["read", "operate", "admin"] as const) {
    tokens[role] = (await createToken(tokensFile, { user: role, role })).token;
  }
  fixture = await startBroker();
  admin = createAdmin({ broker: fixture.broker, logger });
  http = await AdminHttp.start({ admin, logger, host: "127.0.0.1", port: 0, tokensFile });
});

afterAll(async () => {
  await http.close();
  admin.close();
  await fixture.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Asked {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function ask(path: string, { method, token = tokens.read, body, headers = {} }: Asked = {}) {
  const isWrite = body !== undefined;
  const response = await fetch(`${http.address}${path}`, {
    method: method ?? (isWrite ? "POST" : "GET"),
    headers: {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(isWrite ? { "content-type": "application/json" } : {}),
      ...headers,
    },
    ...(isWrite ? { body: typeof body === "string" ? body : JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}

/** `fetch` sets Host itself. */
function askAs(host: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(http.address);
    request({ hostname, port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

describe("who may do what", () => {
  test("without a token, with one that does not count, or one that was taken away: 401", async () => {
    expect(await ask("/api/v1/clients.list", { token: "" })).toMatchObject({ status: 401 });
    const wrong = await ask("/api/v1/clients.list", { token: `${tokens.read}x` });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get("www-authenticate")).toBe("Bearer");
    expect(wrong.json()).toMatchObject({ code: "unauthorized", status: 401, type: "urn:wrenmq:admin:unauthorized" });
    const mqtt = await createToken(tokensFile, { user: "device", publish: ["#"] });
    expect((await ask("/api/v1/clients.list", { token: mqtt.token })).status).toBe(401);
    await revokeToken(tokensFile, mqtt.id);
  });

  test("roles: read looks, operate also kicks and sees payloads, admin also deletes", async () => {
    fixture.broker.retain("r", "x");
    expect((await ask("/api/v1/retained.list")).status).toBe(200);
    expect((await ask("/api/v1/retained.get?topic=r")).json()).toMatchObject({ code: "forbidden" });
    expect((await ask("/api/v1/retained.get?topic=r", { token: tokens.operate })).json()).toMatchObject({
      payload: "x",
    });
    const publish = { topic: "t", payload: "x" };
    expect((await ask("/api/v1/publish", { body: publish })).status).toBe(403);
    expect((await ask("/api/v1/publish", { token: tokens.operate, body: publish })).status).toBe(200);
    const remove = { filter: "r" };
    expect((await ask("/api/v1/retained.delete", { token: tokens.operate, body: remove })).status).toBe(403);
    expect((await ask("/api/v1/retained.delete", { token: tokens.admin, body: remove })).json()).toMatchObject({
      deleted: 1,
    });
    const lines = logger.lines
      .filter(({ message }) => message === "administrative command")
      .map(({ fields }) => fields);
    expect(lines).toEqual([
      expect.objectContaining({ command: "publish", who: expect.stringContaining("of operate"), address: "127.0.0.1" }),
      expect.objectContaining({
        command: "retained.delete",
        who: expect.stringContaining("of admin"),
        outcome: "done",
      }),
    ]);
  });

  test("a page of another origin reaches nothing: unknown Host, Origin at a write, a form instead of JSON", async () => {
    expect(await askAs("evil.example", "/openapi.json")).toBe(403);
    expect(await askAs("evil.example:80", "/api/v1/clients.list")).toBe(403);
    expect(await askAs(new URL(http.address).host, "/openapi.json")).toBe(200);
    expect(await askAs("10.0.0.1:18080", "/readyz")).toBe(200);
    const write = { token: tokens.admin, body: { clientId: "c" } };
    expect((await ask("/api/v1/clients.kick", { ...write, headers: { origin: "http://evil.example" } })).status).toBe(
      403,
    );
    const form = { ...write, headers: { "content-type": "text/plain" } };
    expect((await ask("/api/v1/clients.kick", form)).json()).toMatchObject({ code: "not_acceptable" });
  });
});

describe("the table over HTTP", () => {
  test.each(ALL_COMMANDS.map((command) => [command.name, command] as const))(
    "%s has an address",
    async (name, { kind }) => {
      const right = kind === "read" ? "GET" : "POST";
      const wrong = kind === "read" ? "POST" : "GET";
      const answer = await ask(`/api/v1/${name}`, { method: wrong, token: tokens.admin });
      expect(answer.json()).toMatchObject({ status: 405, expected: right });
    },
  );

  test("a bad input is a problem with code, field and what was expected", async () => {
    const { status, headers, json } = await ask("/api/v1/clients.list?limit=many");
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect({ status, ...json() }).toMatchObject({
      status: 400,
      code: "invalid_input",
      field: "limit",
      title: "Bad Request",
    });
    expect((await ask("/api/v1/clients.list?colour=red")).json()).toMatchObject({ field: "colour" });
    expect((await ask("/api/v1/publish", { token: tokens.admin, body: "{" })).json()).toMatchObject({
      code: "invalid_input",
    });
    expect((await ask("/api/v1/clients.get?clientId=none")).json()).toMatchObject({ status: 404, code: "not_found" });
  });

  test("a stream is one JSON object per line", async () => {
    for (let number = 0; number < 2_000; number++) fixture.broker.retain(`many/${number}`, "x".repeat(100));
    const { text, headers } = await ask("/api/v1/retained.export?filter=many/%23", { token: tokens.operate });
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(
      text
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { topic: string }).topic),
    ).toHaveLength(2_000);
  });
});

describe("health and numbers", () => {
  test("/healthz and /readyz need no token; a broker that is emptied is not ready", async () => {
    expect((await ask("/healthz", { token: "" })).status).toBe(200);
    expect((await ask("/readyz", { token: "" })).json()).toMatchObject({ ready: true });
    fixture.broker.operations.startDrain({ rate: 0 });
    const { status, json } = await ask("/readyz", { token: "" });
    fixture.broker.operations.stopDrain();
    expect([status, json()]).toEqual([
      503,
      { ready: false, checks: { started: true, store: true, listeners: true, "not draining": false } },
    ]);
  });

  test("/metrics is Prometheus' text: each name once with help and type, the numbers of the broker", async () => {
    expect((await ask("/metrics", { token: "" })).status).toBe(401);
    const { text } = await ask("/metrics");
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(new Set(types.map((one) => one.split(" ")[0])).size).toBe(types.length);
    const samples = text
      .trim()
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    for (const line of samples) expect(line).toMatch(/^[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? -?\d+(\.\d+)?(e[+-]?\d+)?$/);
    for (const one of types) if (one.endsWith(" counter")) expect(one).toMatch(/_total counter$/);
    expect(text).toContain(`wrenmq_retained ${fixture.broker.metrics().retained}\n`);
    expect(text).toContain('wrenmq_messages_dropped_total{reason="queue_full"} 0\n');
    expect(text).toContain('wrenmq_listener_connections{listener="memory"} 0\n');
    expect(text).toMatch(/wrenmq_store_commit_seconds_bucket\{le="\+Inf"\} 0/);
  });
});

describe("a hostile client", () => {
  const raw = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(http.address);
      let seen = "";
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket
        .on("data", (bytes) => (seen += bytes.toString()))
        .on("close", () => resolve(seen))
        .on("error", () => {});
    });
  const host = "host: localhost\r\nconnection: close\r\n";

  test.each(["/../../etc/passwd", "/api/v1/..%2f..%2fetc", "/api/v1/__proto__", "/api/v1/constructor", "//x", "/%00"])(
    "path %s is nothing",
    async (path) => {
      const authorization = `authorization: Bearer ${tokens.admin}\r\n`;
      expect(await raw(`GET ${path} HTTP/1.1\r\n${host}${authorization}\r\n`)).toMatch(/^HTTP\/1\.1 40[04] /);
    },
  );

  test("a body that is too long is refused before it is all there", async () => {
    const { status, json } = await ask("/api/v1/publish", {
      token: tokens.admin,
      body: { topic: "t", payload: "x".repeat(2e6) },
    });
    expect([status, json()["code"]]).toEqual([413, "too_large"]);
  });

  test("headers that are too long, and what is no HTTP, end the connection", async () => {
    expect(await raw(`GET / HTTP/1.1\r\nx: ${"x".repeat(20_000)}\r\n\r\n`)).toBe("");
    expect(await raw("\u0010\u0000\u0000\r\n\r\n")).toBe("");
  });

  test("more connections than there may be are closed; those that are there go on", async () => {
    const { hostname, port } = new URL(http.address);
    const sockets = Array.from({ length: 200 }, () => connect(Number(port), hostname).on("error", () => {}));
    let closed = 0;
    await new Promise<void>((resolve) => {
      for (const socket of sockets) {
        socket.resume();
        socket.on("close", () => {
          if (++closed === 100) resolve();
        });
      }
    });
    for (const socket of sockets) socket.destroy();
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => (socket.closed ? resolve(0) : socket.on("close", resolve)))),
    );
    await expect
      .poll(async () => (await ask("/healthz", { token: "" }).catch(() => undefined))?.status, { timeout: 10_000 })
      .toBe(200);
  });

  test("who guesses tokens is not listened to after ten of them, not even with the right one", async () => {
    const own = await AdminHttp.start({ admin, logger, host: "127.0.0.1", port: 0, tokensFile });
    const guess = async (token: string): Promise<Response> =>
      fetch(`${own.address}/api/v1/health`, { headers: { authorization: `Bearer ${token}` } });
    for (let number = 0; number < 10; number++) expect((await guess(`guess${number}`)).status).toBe(401);
    const refused = await guess(tokens.read);
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
    await own.close();
  });
});

test("without tokens only health and numbers are served; with insecure everything", async () => {
  const closed = await AdminHttp.start({ admin, logger, host: "127.0.0.1", port: 0 });
  const status = async (server: AdminHttp, path: string): Promise<number> =>
    (await fetch(server.address + path)).status;
  expect(await status(closed, "/metrics")).toBe(200);
  expect(await status(closed, "/api/v1/clients.list")).toBe(401);
  await closed.close();
  const open = await AdminHttp.start({ admin, logger, host: "127.0.0.1", port: 0, insecure: true });
  expect(await status(open, "/api/v1/clients.list")).toBe(200);
  await open.close();
});

test("a file of tokens that cannot be read stops the start", async () => {
  await writeFile(join(folder, "bad"), "nonsense\n");
  const starting = AdminHttp.start({ admin, logger, port: 0, host: "127.0.0.1", tokensFile: join(folder, "bad") });
  await expect(starting).rejects.toThrow(/line 1: expected a JSON object/);
});
