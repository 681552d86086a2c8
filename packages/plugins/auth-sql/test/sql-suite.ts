// What must be the same on every database.
import { type Identity, isAllowed, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { openDatabase } from "@wrenmq/sql-database";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type AuthSqlOptions, authSql, SqlUsers } from "../src/index.ts";
import { PasswordCheck } from "../src/password-check.ts";
import type { Tables } from "../src/tables.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const INJECTIONS = [
  "' OR '1'='1",
  "'; DROP TABLE user_auth; --",
  "bob' --",
  'bob" --',
  "bob\\",
  "%",
  "bob%",
  "b_b",
  "ＢＯＢ",
];

export function describeDatabase(name: string, url: () => string): void {
  describe(name, () => {
    let users: SqlUsers;
    const hosts: TestHost[] = [];
    beforeAll(async () => {
      users = await SqlUsers.open(url(), { create: true });
      await users.createTables();
      await users.createTables();
      await users.addUser("bob", "secret");
    });
    afterAll(async () => {
      for (const host of hosts) await host.close();
      await users.close();
    });
    async function start(given: Partial<AuthSqlOptions> = {}): Promise<TestHost> {
      const host = await TestHost.start([authSql({ connection: url(), ...given })]);
      hosts.push(host);
      return host;
    }
    const enter = async (host: TestHost, username?: string, password?: string): Promise<Identity> =>
      host.chain.authenticate(testClient({ username }), password === undefined ? undefined : bytes(password));

    test("the right password lets in, anything else does not", async () => {
      const host = await start();
      expect(await enter(host, "bob", "secret")).toMatchObject({ reasonCode: 0, username: "bob" });
      const wrong = [
        await enter(host, "bob", "x"),
        await enter(host, "eve", "secret"),
        await enter(host, "BOB", "secret"),
      ];
      expect(wrong.map((identity) => identity.rule)).toEqual(
        Array(3).fill("auth-sql: user_auth: no such user and password"),
      );
      expect((await enter(host, undefined, "secret")).reasonCode).toBe(0x87);
      expect((await enter(host, "bob")).reasonCode).toBe(0x87);
      expect(host.failures).toEqual([]);
    });

    test.each(INJECTIONS)("a user called %j is nobody", async (username) => {
      const host = await start({ authorize: true });
      expect(isAllowed(await enter(host, username, "secret"))).toBe(false);
      expect(isAllowed(await enter(host, "bob", username))).toBe(false);
      expect(isAllowed((await host.chain.authorize?.(testClient({ username }), "publish", "a")) as Verdict)).toBe(
        false,
      );
      expect(await users.listUsers()).toEqual(["bob"]);
      expect(host.failures).toEqual([]);
    });

    test.each(INJECTIONS)("a user may be called %j all the same", async (username) => {
      await users.addUser(username, "pw");
      expect(await enter(await start(), username, "pw")).toMatchObject({ reasonCode: 0, username });
      await users.addTopic(username, "publish", "a/'b");
      expect((await users.listTopics()).find((one) => one.username === username)?.publish).toEqual(["a/'b"]);
      await users.removeUser(username);
      expect(await users.listUsers()).toEqual(["bob"]);
    });

    test("an unknown user costs the same verification", async () => {
      const { db } = await openDatabase<Tables>(url());
      const verify = vi.fn(async () => true);
      const check = new PasswordCheck(db, { schemes: ["argon2"], remember: 0, verify });
      const turn = { share: "", attempt: { signal: new AbortController().signal, wait: () => () => {} } };
      expect(await check.check("bob", bytes("p"), turn)).toBe(true);
      expect(await check.check("nobody", bytes("p"), turn)).toBe(false);
      expect(verify).toHaveBeenCalledTimes(2);
      const kinds = (verify.mock.calls as unknown[][]).map(([hash]) => String(hash).replace(/\$[^$]*\$[^$]*$/, ""));
      expect(kinds[1]).toBe(kinds[0]);
      await db.destroy();
    });

    test("a hash of an older scheme is accepted if allowed, and replaced", async () => {
      const old = "$pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw$Tvsru20utY6o3q7VRBeuL9h/1QqKhWhwk2PaYNRWBgY";
      const { db } = await openDatabase<Tables>(url());
      const set = () => db.updateTable("user_auth").set({ password_hash: old }).where("username", "=", "bob").execute();
      const hash = async () =>
        (await db.selectFrom("user_auth").select("password_hash").executeTakeFirst())?.password_hash;
      await set();
      expect(isAllowed(await enter(await start(), "bob", "secret"))).toBe(false);
      const schemes = ["argon2", "bcrypt", "pbkdf2_sha256"] as const;
      expect(isAllowed(await enter(await start({ hashSchemes: schemes }), "bob", "secret"))).toBe(true);
      expect(await hash()).toMatch(/^\$argon2id\$/);
      expect(isAllowed(await enter(await start(), "bob", "secret"))).toBe(true);
      await db.destroy();
    });

    test("topics: added, listed, decided by, removed", async () => {
      await users.addTopic("bob", "publish", "out/+");
      await users.addTopic("bob", "subscribe", "in/#");
      await users.addTopic("bob", "subscribe", "in/#");
      expect(await users.listTopics()).toEqual([
        { username: "bob", publish: ["out/+"], subscribe: ["in/#"], receive: [] },
      ]);
      const host = await start({ authorize: true, cacheSeconds: 0 });
      const ask = async (action: "publish" | "subscribe" | "receive", topic: string, username = "bob") =>
        (await host.chain.authorize?.(testClient({ username }), action, topic)) as Verdict;
      expect(await ask("publish", "out/a")).toEqual({ reasonCode: 0, rule: "auth-sql: topic_auth.bob.publish[0]" });
      expect(isAllowed(await ask("publish", "in/a"))).toBe(false);
      expect(isAllowed(await ask("subscribe", "in/+"))).toBe(true);
      expect(isAllowed(await ask("subscribe", "#"))).toBe(false);
      expect(isAllowed(await ask("receive", "in/a"))).toBe(false);
      expect((await ask("publish", "out/a", "eve")).rule).toBe('auth-sql: topic_auth has no user "eve"');
      expect((await ask("publish", "$SYS/x")).rule).toMatch(/\$ topics/);
      await users.removeTopic("bob", "publish", "out/+");
      expect(isAllowed(await ask("publish", "out/a"))).toBe(false);
      await expect(users.removeTopic("bob", "publish", "out/+")).rejects.toMatchObject({ code: "ERR_TOPIC_UNKNOWN" });
      await expect(users.addTopic("bob", "publish", "a/#/b")).rejects.toMatchObject({ code: "ERR_TOPIC_FILTER" });
      await expect(users.addTopic("bob", "publish", "$SYS/#")).rejects.toMatchObject({ code: "ERR_TOPIC_FILTER" });
    });

    test("what is no list of topics denies, and is not written over", async () => {
      const { db } = await openDatabase<Tables>(url());
      const lists = { publish_acl: '{"no":"list"}', subscribe_acl: "[]", receive_acl: "[]" };
      await db
        .insertInto("topic_auth")
        .values({ username: "odd", ...lists })
        .execute();
      const host = await start({ authorize: true });
      const verdict = (await host.chain.authorize?.(testClient({ username: "odd" }), "publish", "a")) as Verdict;
      expect(isAllowed(verdict)).toBe(false);
      expect(host.failures).toMatchObject([
        { error: { message: 'topic_auth.publish_acl of "odd" is no list of topics' } },
      ]);
      await expect(users.addTopic("odd", "publish", "a")).rejects.toMatchObject({ code: "ERR_TOPIC_LIST" });
      await db.deleteFrom("topic_auth").where("username", "=", "odd").execute();
      await db.destroy();
    });

    test("users: mistakes are named, a password is changed, a removed user is out", async () => {
      await users.addUser("tmp", "one");
      await expect(users.addUser("tmp", "two")).rejects.toMatchObject({ code: "ERR_USER_EXISTS" });
      await users.setPassword("tmp", "two");
      const host = await start();
      expect(isAllowed(await enter(host, "tmp", "one"))).toBe(false);
      expect(isAllowed(await enter(host, "tmp", "two"))).toBe(true);
      await users.removeUser("tmp");
      expect(isAllowed(await enter(host, "tmp", "two"))).toBe(false);
      await expect(users.removeUser("tmp")).rejects.toMatchObject({ code: "ERR_USER_UNKNOWN" });
      await expect(users.setPassword("tmp", "x")).rejects.toMatchObject({ code: "ERR_USER_UNKNOWN" });
      await expect(users.addUser("", "x")).rejects.toMatchObject({ code: "ERR_USER_NAME" });
    });
  });
}
