import type { ServerResponse } from "node:http";
import { type Identity, isAllowed, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { readAnswer } from "../src/answer.ts";
import { AnswerCache } from "../src/answer-cache.ts";
import { type AuthHttpOptions, authHttp } from "../src/index.ts";
import { type Asked, startService } from "./service.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function start(given: Partial<AuthHttpOptions>, answer: (asked: Asked, response: ServerResponse) => void) {
  const service = await startService(answer);
  const host = await TestHost.start([authHttp({ host: "127.0.0.1", port: service.port, ...given })]);
  cleanUps.push(async () => {
    await host.close();
    service.close();
  });
  const enter = async (username: string | undefined, password: string | undefined): Promise<Identity> =>
    host.chain.authenticate(
      testClient({ username, clientId: "c1" }),
      password === undefined ? undefined : new TextEncoder().encode(password),
    );
  const use = async (username: string | undefined, topic: string) =>
    (await host.chain.authorize?.(testClient({ username, clientId: "c1" }), "publish", topic)) as Verdict;
  return { ...service, host, enter, use };
}
const ok = (_asked: Asked, response: ServerResponse) => response.end('{"ok": true}');

describe("how a user is asked about", () => {
  const params = { username: "b&b", password: "p=1&x", client_id: "c1" };
  const form = "username=b%26b&password=p%3D1%26x&client_id=c1";
  test.each([
    ["get", "json", "GET", "application/json", {}, JSON.stringify(params)],
    ["post", "json", "POST", "application/json", {}, JSON.stringify(params)],
    ["put", "json", "PUT", "application/json", {}, JSON.stringify(params)],
    ["get", "form", "GET", undefined, params, ""],
    ["post", "form", "POST", "application/x-www-form-urlencoded", {}, form],
    ["put", "form", "PUT", "application/x-www-form-urlencoded", {}, form],
  ] as const)("%s %s", async (requestMethod, paramsMode, method, type, query, body) => {
    const { enter, asked } = await start({ requestMethod, paramsMode, userAgent: "me" }, ok);
    expect(await enter("b&b", "p=1&x")).toMatchObject({ reasonCode: 0, rule: "auth-http: /user says yes" });
    expect(asked).toMatchObject([{ method, type, query, body, path: "/user", agent: "me" }]);
  });

  test("without name or password nobody is asked", async () => {
    const { enter, asked } = await start({}, ok);
    expect(isAllowed(await enter(undefined, "x"))).toBe(false);
    expect(isAllowed(await enter("x", undefined))).toBe(false);
    expect(asked).toEqual([]);
  });

  test("connections are kept open", async () => {
    const { enter, asked } = await start({ cacheSeconds: 0 }, ok);
    await enter("a", "b");
    await enter("a", "b");
    expect(asked).toHaveLength(2);
    expect(asked[0]?.socket).toBe(asked[1]?.socket);
  });
});

test.each([
  ["status", 200, "", true],
  ["status", 204, "", true],
  ["status", 403, "", false],
  ["status", 500, "", undefined],
  ["status", 302, "", undefined],
  ["json", 200, '{"ok": true}', true],
  ["json", 200, '{"OK": true}', true],
  ["json", 200, '{"ok": false}', false],
  ["json", 200, '{"ok": "true"}', false],
  ["json", 200, "{}", undefined],
  ["json", 200, "ok", false],
  ["json", 200, "null", false],
  ["json", 403, '{"ok": true}', false],
  ["text", 200, "ok", true],
  ["text", 200, "OK\n", true],
  ["text", 200, "not ok", false],
  ["text", 500, "ok", false],
] as const)("%s %s %s: %s", (mode, status, body, expected) => {
  expect(readAnswer(mode, { status, body })).toBe(expected);
});

describe("how a topic is asked about", () => {
  test("with acc 1 to receive, 2 to publish, 4 to subscribe", async () => {
    const { host, asked } = await start({ authorize: true, requestMethod: "post" }, ok);
    for (const action of ["receive", "publish", "subscribe"] as const) {
      await host.chain.authorize?.(testClient({ username: "u", clientId: "c1" }), action, "a/#");
    }
    expect(asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual(
      [1, 2, 4].map((acc) => ({ username: "u", client_id: "c1", topic: "a/#", acc })),
    );
    expect(asked[0]?.path).toBe("/acl");
  });

  test("in a form acc is written in digits", async () => {
    const { use, asked } = await start({ authorize: true, paramsMode: "form" }, ok);
    await use("u", "a");
    expect(asked[0]?.query).toEqual({ username: "u", client_id: "c1", topic: "a", acc: "2" });
  });

  test("a superuser may use every topic", async () => {
    const { use } = await start({ authorize: true, superuserUri: "/super", requestMethod: "post" }, (asked, response) =>
      response.end(JSON.stringify({ ok: asked.path === "/super" && asked.body.includes("root") })),
    );
    expect(await use("root", "x")).toMatchObject({ reasonCode: 0, rule: "auth-http: /super says yes" });
    expect((await use("bob", "x")).reasonCode).toBe(0x87);
    expect((await use(undefined, "x")).reasonCode).toBe(0x87);
  });

  test("connected clients are asked about again", async () => {
    const { host } = await start({ authorize: true, recheckSeconds: 60 }, ok);
    host.advance(120_000);
    expect(host.rulesChanges).toBe(2);
  });
});

describe("a service that fails", () => {
  test("too slow: refused with Server unavailable", async () => {
    const { enter, host } = await start({ timeout: 30 }, () => {});
    expect((await enter("a", "b")).reasonCode).toBe(0x88);
    expect(host.failures).toHaveLength(1);
  });
  test("not there: refused", async () => {
    const started = await start({}, ok);
    started.close();
    expect((await started.enter("a", "b")).reasonCode).toBe(0x88);
  });
  test("endless answer: refused", async () => {
    const { enter } = await start({}, (_asked, response) => response.end("x".repeat(100_000)));
    expect((await enter("a", "b")).reasonCode).toBe(0x88);
  });
});

describe("the cache", () => {
  test("asks once for the same question, again for another password", async () => {
    const { enter, asked } = await start({}, ok);
    await enter("a", "b");
    await enter("a", "b");
    expect(asked).toHaveLength(1);
    await enter("a", "c");
    expect(asked).toHaveLength(2);
  });

  test("forgets after its time, keeps no failure, and stays small", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    cleanUps.push(() => vi.useRealTimers());
    const cache = new AnswerCache(1000, 2);
    const ask = vi.fn(async () => true);
    const get = (name: string) => cache.get("/", { name }, ask);
    await expect(cache.get("/", { name: "a" }, () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    for (const name of ["a", "a", "b", "b"]) await get(name);
    expect(ask).toHaveBeenCalledTimes(2);
    vi.setSystemTime(Date.now() + 1001);
    await get("a");
    expect(ask).toHaveBeenCalledTimes(3);
    for (const name of ["c", "d", "a"]) await get(name);
    expect(ask).toHaveBeenCalledTimes(6);
  });
});
