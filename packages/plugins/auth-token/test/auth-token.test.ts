import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Action, type Identity, isAllowed, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { authToken, createToken, listTokens, revokeToken } from "../src/index.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
  file = join(folder, "tokens");
});
afterEach(() => rmSync(folder, { recursive: true }));

const start = () => TestHost.start([authToken({ file })]);
const enter = async (host: TestHost, token: string | undefined, username?: string): Promise<Identity> =>
  host.chain.authenticate(testClient({ username }), token === undefined ? undefined : new TextEncoder().encode(token));

describe("who enters", () => {
  test("the owner of a token, with or without its name", async () => {
    const expires = new Date(Date.now() + 60_000);
    const { token, id } = await createToken(file, { user: "bob", expires });
    const host = await start();
    for (const username of [undefined, "bob"]) {
      expect(await enter(host, token, username)).toEqual({
        reasonCode: 0,
        username: "bob",
        expiresAt: expires.getTime(),
        rule: `auth-token: token ${id}`,
        attributes: { "auth-token:auth-token": id },
      });
    }
    expect((await enter(host, token, "eve")).reasonCode).toBe(0x87);
    expect(readFileSync(file, "utf8")).not.toContain(token.slice(-43));
  });

  test("a wrong, unknown, expired or changed token is refused; another password is left to others", async () => {
    const { token } = await createToken(file, { user: "bob" });
    const old = await createToken(file, { user: "bob", expires: new Date(Date.now() - 1) });
    const host = await start();
    const last = token.endsWith("A") ? "B" : "A";
    for (const wrong of [token.slice(0, -1) + last, `wmq_AAAAAAAAAAAA_${token.slice(-43)}`, old.token]) {
      expect((await enter(host, wrong)).reasonCode).toBe(0x87);
      expect((await enter(host, wrong)).rule).not.toMatch(/no plugin/);
    }
    for (const other of [undefined, "", "password", `${token}x`]) {
      expect((await enter(host, other)).rule).toMatch(/no plugin has an opinion/);
    }
  });
});

describe("topics", () => {
  test("what the token lists and nothing else", async () => {
    const service = { user: "svc", publish: ["users/+/updates/+"] };
    const { token } = await createToken(file, service);
    const user = await createToken(file, {
      user: "7",
      subscribe: ["users/7/updates/#"],
      receive: ["users/7/updates/#"],
    });
    const host = await start();
    const may = async (secret: string, action: Action, topic: string) => {
      const { attributes = {} } = await enter(host, secret);
      const client = testClient({ attributes: { ...attributes } });
      return isAllowed((await host.chain.authorize?.(client, action, topic)) as Verdict);
    };
    expect(await may(token, "publish", "users/7/updates/x")).toBe(true);
    expect(await may(token, "subscribe", "users/7/updates/x")).toBe(false);
    expect(await may(user.token, "publish", "users/7/updates/x")).toBe(false);
    expect(await may(user.token, "subscribe", "users/7/updates/#")).toBe(true);
    expect(await may(user.token, "subscribe", "users/+/updates/#")).toBe(false);
    expect(await may(user.token, "receive", "users/8/updates/x")).toBe(false);
    const verdict = (await host.chain.authorize?.(testClient(), "publish", "a")) as Verdict;
    expect(verdict.rule).toBe("no rule allows it");
  });
});

describe("the file", () => {
  test("revoking a token disconnects who uses it", async () => {
    const one = await createToken(file, { user: "a" });
    const two = await createToken(file, { user: "b", note: "kitchen" });
    expect((await listTokens(file)).map(({ user, note }) => [user, note])).toEqual([
      ["a", undefined],
      ["b", "kitchen"],
    ]);
    const host = await start();
    for (const { id, token } of [one, two]) {
      const { attributes } = await enter(host, token);
      host.clients.push(testClient({ clientId: id, attributes: { ...attributes } }));
    }
    host.clients.push(testClient({ clientId: "other" }));
    await revokeToken(file, one.id);
    await vi.waitFor(() => {
      host.advance(2000);
      expect(host.disconnected).toEqual([{ clientId: one.id, reasonCode: 0x87 }]);
    });
    expect(host.rulesChanges).toBe(1);
    expect((await enter(host, one.token)).reasonCode).toBe(0x87);
    expect((await enter(host, two.token)).reasonCode).toBe(0);
  });

  test("mistakes are named", async () => {
    await createToken(file, { user: "a" });
    await expect(revokeToken(file, "nope")).rejects.toMatchObject({ code: "ERR_TOKEN_UNKNOWN" });
    await expect(createToken(file, { user: "" })).rejects.toMatchObject({ code: "ERR_TOKEN_OPTIONS" });
    await expect(createToken(file, { user: "a", publish: ["a/#/b"] })).rejects.toThrow('"a/#/b" is no topic filter');
    for (const line of ["x", "[]", "{}", '{"id":"a","user":"b","sha256":"c","created":"d"}']) {
      writeFileSync(file, `\n${line}\n`);
      await expect(start()).rejects.toThrow("line 2: expected a JSON object");
    }
  });
});
