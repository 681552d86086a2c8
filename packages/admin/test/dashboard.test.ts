// The dashboard's files and its sessions, and each way around them.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createToken, revokeToken } from "@wrenmq/auth-token";
import { type BrokerFixture, startBroker } from "@wrenmq/testkit";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { AdminHttp } from "../src/http/index.ts";
import { PageSessions } from "../src/http/page-sessions.ts";
import { type Admin, createAdmin } from "../src/index.ts";
import { MemoryLogger } from "./support/memory-logger.ts";

let fixture: BrokerFixture;
let admin: Admin;
let http: AdminHttp;
let folder: string;
let tokensFile: string;
let token: string;
const logger = new MemoryLogger();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wrenmq-dashboard-"));
  await mkdir(join(folder, "dist", "assets"), { recursive: true });
  await writeFile(join(folder, "dist", "index.html"), "<!doctype html>");
  await writeFile(join(folder, "dist", "assets", "main-abc.js"), "plain");
  await writeFile(join(folder, "dist", "assets", "main-abc.js.br"), "brotli");
  await writeFile(join(folder, "dist", "assets", "main-abc.js.gz"), "gzip");
  await writeFile(join(folder, "secret.html"), "secret");
  tokensFile = join(folder, "tokens");
  token = (await createToken(tokensFile, { user: "ada", role: "operate" })).token;
  fixture = await startBroker();
  admin = createAdmin({ broker: fixture.broker, logger });
  http = await serve();
});

afterAll(async () => {
  await http.close();
  admin.close();
  await fixture.stop();
  await rm(folder, { recursive: true, force: true });
});

function serve(more: Partial<Parameters<typeof AdminHttp.start>[0]> = {}): Promise<AdminHttp> {
  const dashboard = join(folder, "dist");
  return AdminHttp.start({ admin, logger, host: "127.0.0.1", port: 0, tokensFile, dashboard, ...more });
}

interface Asked {
  readonly server?: AdminHttp;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** `fetch` sets Host, Origin and Sec-Fetch-Site as it likes. */
async function ask(path: string, { server = http, method = "GET", headers = {}, body }: Asked = {}) {
  const { hostname, port } = new URL(server.address);
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const type: Record<string, string> = text === undefined ? {} : { "content-type": "application/json" };
  return new Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly text: string;
    json(): Record<string, string>;
  }>((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers: { ...type, ...headers } }, (response) => {
      let seen = "";
      response.setEncoding("utf8").on("data", (piece: string) => (seen += piece));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: seen,
          json: () => JSON.parse(seen) as Record<string, string>,
        }),
      );
    });
    sent.on("error", reject).end(text);
  });
}

interface SignedIn {
  readonly cookie: string;
  readonly csrf: string;
  readonly origin: string;
}

async function signIn(server: AdminHttp = http, body: unknown = { token }): Promise<SignedIn> {
  const origin = new URL(server.address).origin;
  const answer = await ask("/session", { server, method: "POST", headers: { origin }, body });
  expect(answer.status).toBe(200);
  const cookie = String(answer.headers["set-cookie"]?.[0]).split(";")[0] ?? "";
  return { cookie, csrf: answer.json()["csrf"] ?? "", origin };
}

const publish = { topic: "t", payload: "x" };
const write = ({ cookie, csrf, origin }: SignedIn): Record<string, string> => ({
  cookie,
  origin,
  "x-wrenmq-csrf": csrf,
  "sec-fetch-site": "same-origin",
});

describe("files", () => {
  test("come from a table: the page at /, hashed names for ever, compressed where that is accepted", async () => {
    const page = await ask("/");
    expect(page).toMatchObject({ status: 200, text: "<!doctype html>" });
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    });
    const again = await ask("/", { headers: { "if-none-match": String(page.headers["etag"]) } });
    expect([again.status, again.text]).toEqual([304, ""]);
    const script = (accepted: string) => ask("/assets/main-abc.js", { headers: { "accept-encoding": accepted } });
    expect((await script("gzip, br")).text).toBe("brotli");
    expect((await script("gzip, br;q=0")).text).toBe("gzip");
    const plain = await script("identity");
    expect(plain.text).toBe("plain");
    expect(plain.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect((await ask("/", { method: "HEAD" })).text).toBe("");
    expect((await ask("/", { method: "POST", body: {} })).status).toBe(405);
  });

  test.each([
    "/../secret.html",
    "/assets/../../secret.html",
    "/assets/..%2f..%2fsecret.html",
    "/assets/main-abc.js.br",
    "/assets/",
    "/assets%2fmain-abc.js",
    "/constructor",
    "//secret.html",
  ])("%s is none", async (path) => {
    expect((await ask(path)).status).toBe(401);
  });

  test("an unknown Host gets none of them", async () => {
    expect((await ask("/", { headers: { host: "evil.example" } })).status).toBe(403);
  });

  test("without the folder there is no dashboard, and nobody signs in", async () => {
    const server = await serve({ dashboard: join(folder, "nothing") });
    onTestFinished(() => server.close());
    expect(server.hasDashboard).toBe(false);
    const { origin } = new URL(server.address);
    const answer = await ask("/session", { server, method: "POST", headers: { origin }, body: { token } });
    expect([(await ask("/", { server })).status, answer.status]).toEqual([401, 401]);
  });
});

describe("signing in", () => {
  test("gives a cookie that no script sees and no other site sends, for twelve hours", async () => {
    const { origin } = new URL(http.address);
    const { headers, json } = await ask("/session", { method: "POST", headers: { origin }, body: { token } });
    expect(headers["set-cookie"]?.[0]).toMatch(
      /^wrenmq-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
    expect(json()).toMatchObject({ access: "token", signedIn: true, role: "operate", who: expect.any(String) });
    expect(new PageSessions(() => 1, true).open("x", () => undefined, 0).cookie).toMatch(
      /^__Host-wrenmq-1=.*; Secure;/,
    );
  });

  test("the session reads as its token does, and writes with its CSRF token", async () => {
    const page = await signIn();
    expect((await ask("/api/v1/clients.list", { headers: { cookie: page.cookie } })).status).toBe(200);
    const answer = await ask("/api/v1/publish", { method: "POST", headers: write(page), body: publish });
    expect(answer.status).toBe(200);
    expect(logger.lines.at(-1)?.fields).toMatchObject({ command: "publish", who: expect.stringContaining("of ada") });
    const danger = { method: "POST", headers: write(page), body: { filter: "t" } };
    expect((await ask("/api/v1/retained.delete", danger)).json()).toMatchObject({ code: "forbidden" });
    expect((await ask("/session", { headers: { cookie: page.cookie } })).json()).toMatchObject({ csrf: page.csrf });
  });

  test("wrong tokens are refused, and after ten of them the address is", async () => {
    const server = await serve();
    onTestFinished(() => server.close());
    const { origin } = new URL(server.address);
    const guess = (body: unknown) => ask("/session", { server, method: "POST", headers: { origin }, body });
    expect((await guess({})).json()).toMatchObject({ status: 400, field: "token" });
    expect((await guess({ token: "x".repeat(2_000) })).status).toBe(413);
    for (let number = 0; number < 10; number++) expect((await guess({ token: `guess${number}` })).status).toBe(401);
    const refused = await guess({ token });
    expect([refused.status, Number(refused.headers["retry-after"]) > 0]).toEqual([429, true]);
  });

  test("another page cannot sign somebody in", async () => {
    for (const headers of [
      {},
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: "http://localhost:1" },
    ]) {
      expect((await ask("/session", { method: "POST", headers, body: { token } })).status).toBe(403);
    }
    const { origin } = new URL(http.address);
    const form = { origin, "content-type": "text/plain" };
    expect((await ask("/session", { method: "POST", headers: form, body: { token } })).status).toBe(405);
  });

  test("behind a proxy that ends TLS: the port of the origin's scheme may be in Host, another one may not", async () => {
    const hosts = ["mq.example", "mq.example:443", "mq.example:80"];
    const server = await serve({ hosts });
    onTestFinished(() => server.close());
    const signedIn = async (host: string, origin: string): Promise<number> =>
      (await ask("/session", { server, method: "POST", headers: { host, origin }, body: { token } })).status;
    for (const host of ["mq.example", "mq.example:443"]) expect(await signedIn(host, "https://mq.example")).toBe(200);
    expect(await signedIn("mq.example:80", "https://mq.example")).toBe(403);
    expect(await signedIn("mq.example:443", "http://mq.example")).toBe(403);
    for (const origin of ["https://evil.example", "https://mq.example.evil", "null", "file://", "data:,x"]) {
      expect(await signedIn("mq.example", origin), origin).toBe(403);
    }
  });

  test("the cookie is a new one each time, and the one before counts no more", async () => {
    const first = await signIn();
    const { origin } = first;
    const again = await ask("/session", { method: "POST", headers: { origin, cookie: first.cookie }, body: { token } });
    expect(again.status).toBe(200);
    expect((await ask("/api/v1/health", { headers: { cookie: first.cookie } })).status).toBe(401);
  });

  test("without tokens nobody can; with insecure everybody can, and writes need the session all the same", async () => {
    const closed = await AdminHttp.start({
      admin,
      logger,
      host: "127.0.0.1",
      port: 0,
      dashboard: join(folder, "dist"),
    });
    onTestFinished(() => closed.close());
    expect((await ask("/session", { server: closed })).json()).toMatchObject({ access: "closed", signedIn: false });
    const { origin } = new URL(closed.address);
    expect((await ask("/session", { server: closed, method: "POST", headers: { origin }, body: {} })).status).toBe(401);
    const open = await AdminHttp.start({
      ...{ admin, logger, host: "127.0.0.1", port: 0, insecure: true },
      dashboard: join(folder, "dist"),
    });
    onTestFinished(() => open.close());
    const page = await signIn(open, {});
    const ask1 = (headers: Record<string, string>) =>
      ask("/api/v1/publish", { server: open, method: "POST", headers, body: publish });
    expect((await ask1(write(page))).status).toBe(200);
    expect((await ask1({ origin: page.origin })).status).toBe(403);
  });
});

describe("ways around a session", () => {
  const refused: readonly (readonly [string, (page: SignedIn) => Record<string, string>])[] = [
    ["no CSRF token", ({ cookie, origin }) => ({ cookie, origin })],
    ["a wrong one", (page) => ({ ...write(page), "x-wrenmq-csrf": `${page.csrf}x` })],
    ["an empty one", (page) => ({ ...write(page), "x-wrenmq-csrf": "" })],
    ["no Origin", ({ cookie, csrf }) => ({ cookie, "x-wrenmq-csrf": csrf })],
    ["another Origin", (page) => ({ ...write(page), origin: "http://evil.example" })],
    ["another port", (page) => ({ ...write(page), origin: "http://127.0.0.1:1" })],
    [
      "another name of this machine",
      (page) => ({ ...write(page), origin: page.origin.replace("127.0.0.1", "localhost") }),
    ],
    ["Origin null", (page) => ({ ...write(page), origin: "null" })],
    ["a page of another site", (page) => ({ ...write(page), "sec-fetch-site": "cross-site" })],
    ["a page at another port", (page) => ({ ...write(page), "sec-fetch-site": "same-site" })],
    ["an unknown Host", (page) => ({ ...write(page), host: "evil.example", origin: "http://evil.example" })],
    [
      "a token instead of the cookie, from a page",
      ({ origin, csrf }) => ({ origin, "x-wrenmq-csrf": csrf, authorization: `Bearer ${token}` }),
    ],
    ["a token beside the cookie", (page) => ({ ...write(page), authorization: `Bearer ${token}` })],
  ];
  test.each(refused)("a write with %s is forbidden", async (_name, headersOf) => {
    const page = await signIn();
    const answer = await ask("/api/v1/publish", { method: "POST", headers: headersOf(page), body: publish });
    expect(answer.status).toBe(403);
  });

  test("the CSRF token of another session does not count", async () => {
    const [one, other] = [await signIn(), await signIn()];
    const headers = write({ ...one, csrf: other.csrf });
    expect((await ask("/api/v1/publish", { method: "POST", headers, body: publish })).status).toBe(403);
  });

  test("a read by a page of another site is forbidden", async () => {
    const { cookie } = await signIn();
    for (const site of ["cross-site", "same-site"]) {
      expect((await ask("/api/v1/clients.list", { headers: { cookie, "sec-fetch-site": site } })).status).toBe(403);
    }
  });

  test("a cookie that somebody made up, or two of them, are nobody", async () => {
    const { cookie } = await signIn();
    const name = cookie.split("=")[0] ?? "";
    for (const one of [`${name}=x`, `${name}=${"a".repeat(43)}`, `${name}=; ${cookie}`, `${cookie}; ${name}=x`, "x"]) {
      expect((await ask("/api/v1/clients.list", { headers: { cookie: one } })).status).toBe(401);
    }
  });

  test("a method that changes nothing changes nothing", async () => {
    const page = await signIn();
    const answer = await ask("/api/v1/publish?topic=t", { headers: write(page) });
    expect(answer.json()).toMatchObject({ status: 405 });
  });
});

describe("the end of a session", () => {
  test("by signing out, which needs the CSRF token", async () => {
    const page = await signIn();
    const { cookie } = page;
    expect((await ask("/session", { method: "DELETE", headers: { cookie } })).status).toBe(403);
    const answer = await ask("/session", { method: "DELETE", headers: write(page) });
    expect(answer.json()).toMatchObject({ signedIn: false });
    expect(answer.headers["set-cookie"]?.[0]).toMatch(/^wrenmq-\d+=; .*Max-Age=0$/);
    expect((await ask("/api/v1/health", { headers: { cookie } })).status).toBe(401);
  });

  test("when its token is taken away, also for a stream that is open", async () => {
    const created = await createToken(tokensFile, { user: "short", role: "operate" });
    const server = await serve();
    onTestFinished(() => server.close());
    const { cookie } = await signIn(server, { token: created.token });
    expect((await ask("/api/v1/health", { server, headers: { cookie } })).status).toBe(200);
    const stream = await fetch(new URL("/api/v1/stats.watch", server.address), { headers: { cookie } });
    expect(stream.status).toBe(200);
    await revokeToken(tokensFile, created.id);
    // The stream first: no request is made meanwhile at which the token would be checked.
    await expect(stream.text()).rejects.toThrow();
    await expect
      .poll(async () => (await ask("/api/v1/health", { server, headers: { cookie } })).status, { timeout: 15_000 })
      .toBe(401);
  });

  test("when its time is over, or too many others have begun", () => {
    const sessions = new PageSessions(() => 1, false);
    const caller = { who: "ada", role: "read" } as const;
    const open = (who: string, now = 0): string => sessions.open(who, () => caller, now).cookie.split(";")[0] ?? "";
    const find = (cookie: string, now = 0): unknown => sessions.find({ headers: { cookie } } as never, now);
    const first = open("ada");
    expect(find(first, 12 * 3_600_000 - 1)).toBeDefined();
    expect(find(first, 12 * 3_600_000)).toBeUndefined();
    const own = Array.from({ length: 11 }, () => open("ada"));
    expect(own.map((one) => find(one) !== undefined)).toEqual([false, ...Array.from({ length: 10 }, () => true)]);
    const many = Array.from({ length: 100 }, (_, number) => open(`user${number}`));
    expect([...own, ...many].filter((one) => find(one) !== undefined)).toEqual(many);
    sessions.close();
  });

  test("its streams end with it", () => {
    const sessions = new PageSessions(() => 1, false);
    let counts = true;
    const { session, cookie } = sessions.open("ada", () => (counts ? { who: "ada", role: "read" } : undefined), 0);
    const ends: unknown[] = [];
    const once = (): void => {};
    session.hold({ headersSent: true, once, destroy: () => ends.push("cut") } as never);
    // One without its first line gets an answer.
    const writeHead = (status: number) => ({ end: () => ends.push(status) });
    session.hold({ headersSent: false, once, writeHead } as never);
    counts = false;
    expect(sessions.find({ headers: { cookie: cookie.split(";")[0] } } as never, 1)).toBeUndefined();
    expect(ends).toEqual(["cut", 401]);
    sessions.close();
  });
});
