import { type Action, type Identity, isAllowed, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { Directory } from "../src/directory.ts";
import { type AuthLdapOptions, authLdap } from "../src/index.ts";
import { ADMIN, BASE, startSlapd } from "./slapd.ts";

const slapd = await startSlapd();
const hosts: TestHost[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const host of hosts.splice(0)) await host.close();
});
afterAll(() => slapd?.stop());

const common = (server: string): AuthLdapOptions => ({
  server,
  baseDn: BASE,
  userAttribute: "uid",
  bindDn: ADMIN,
  bindPassword: "admin",
});
async function start(given: Partial<AuthLdapOptions> = {}): Promise<TestHost> {
  const host = await TestHost.start([authLdap({ ...common(slapd?.url ?? "ldap://127.0.0.1:1"), ...given })]);
  hosts.push(host);
  return host;
}
const enter = async (host: TestHost, username?: string, password?: string): Promise<Identity> =>
  host.chain.authenticate(
    testClient({ username }),
    password === undefined ? undefined : new TextEncoder().encode(password),
  );

describe.skipIf(slapd === undefined)("a real directory", () => {
  test("the right password lets in; the name is the directory's", async () => {
    const host = await start();
    expect(await enter(host, "bob", "secret")).toMatchObject({
      reasonCode: 0,
      username: "bob",
      rule: `auth-ldap: uid=bob,${BASE}`,
    });
    expect(await enter(host, "BOB", "secret")).toMatchObject({ reasonCode: 0, username: "bob" });
    expect(await enter(host, "odd, name*", "secret")).toMatchObject({ reasonCode: 0, username: "odd, name*" });
  });

  test("a wrong password, nobody and two of one name are refused in the same words", async () => {
    const host = await start();
    const refusals = [
      await enter(host, "bob", "x"),
      await enter(host, "eve", "secret"),
      await enter(host, "twin", "secret"),
    ];
    expect(refusals.map(({ reasonCode }) => reasonCode)).toEqual([0x87, 0x87, 0x87]);
    expect(new Set(refusals.map(({ rule }) => rule)).size).toBe(1);
    expect(host.failures).toEqual([]);
  });

  test("an empty password is no password, though the directory would take it for anonymous access", async () => {
    const host = await start();
    expect((await enter(host, "bob", "")).reasonCode).toBe(0x87);
    expect((await enter(host, "bob")).reasonCode).toBe(0x87);
    expect((await enter(host, undefined, "secret")).rule).toMatch(/no plugin has an opinion/);
  });

  test.each([
    "*",
    "b*",
    "bob)(uid=*",
    "*)(objectClass=*",
    "bob)(|(uid=*))",
    "\\62ob",
    "bob\\00",
    "bob)\0",
    `uid=bob,${BASE}`,
  ])("a user called %j is nobody", async (username) => {
    const host = await start({ authorize: true, publishAttribute: "description" });
    expect((await enter(host, username, "secret")).reasonCode).toBe(0x87);
    const verdict = (await host.chain.authorize?.(testClient({ username }), "publish", "out/a")) as Verdict;
    expect(isAllowed(verdict)).toBe(false);
    expect(host.failures).toEqual([]);
  });

  test("for nobody the directory is asked as often as for somebody", async () => {
    const host = await start();
    const find = vi.spyOn(Directory.prototype, "find");
    const verify = vi.spyOn(Directory.prototype, "verify");
    await enter(host, "bob", "x");
    await enter(host, "eve", "x");
    expect([find.mock.calls.length, verify.mock.calls.length]).toEqual([2, 2]);
  });

  test("topics come from attributes; an action without one is not decided", async () => {
    const given = { authorize: true, publishAttribute: "description", subscribeAttribute: "CarLicense" };
    const host = await start(given);
    const ask = async (action: Action, topic: string, username = "bob") =>
      (await host.chain.authorize?.(testClient({ username }), action, topic)) as Verdict;
    expect((await ask("publish", "out/a")).rule).toMatch(/^auth-ldap: bob\.publish\[\d\]$/);
    expect(isAllowed(await ask("publish", "a/b/c"))).toBe(true);
    expect(isAllowed(await ask("publish", "in/a"))).toBe(false);
    expect(isAllowed(await ask("subscribe", "in/+"))).toBe(true);
    expect(isAllowed(await ask("subscribe", "#"))).toBe(false);
    expect((await ask("receive", "in/a")).rule).toBe("no rule allows it");
    expect(isAllowed(await ask("publish", "out/a", "eve"))).toBe(false);
    host.advance(300_000);
    expect(host.rulesChanges).toBe(1);
  });

  test("a wrong password of our own refuses everybody, loudly", async () => {
    const host = await start({ bindPassword: "wrong" });
    expect((await enter(host, "bob", "secret")).reasonCode).toBe(0x88);
    expect(host.failures).toHaveLength(1);
  });
});

test("a directory that cannot be reached refuses with Server unavailable", async () => {
  const host = await start({ server: "ldap://127.0.0.1:1" });
  expect((await enter(host, "bob", "secret")).reasonCode).toBe(0x88);
  expect(host.failures).toHaveLength(1);
});

test("wrong options are named", async () => {
  await expect(start({ server: "http://x" })).rejects.toThrow("server: expected a URL with ldap://");
  await expect(start({ userAttribute: "uid)(x=" })).rejects.toThrow("userAttribute: expected an attribute");
  await expect(start({ caFile: "/no/such/file" })).rejects.toMatchObject({ code: "ERR_PLUGIN_START" });
});
