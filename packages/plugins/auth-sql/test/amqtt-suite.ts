// A database that aMQTT made is used as it is, and stays one that aMQTT can use.
import { type Action, isAllowed, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { openDatabase } from "@wrenmq/sql-database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authSql, SqlUsers } from "../src/index.ts";
import type { Tables } from "../src/tables.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

export function describeAmqttDatabase(name: string, url: () => string, make: () => Promise<void>): void {
  describe(`${name}: a database of aMQTT`, () => {
    let users: SqlUsers;
    let host: TestHost;
    beforeAll(async () => {
      await make();
      users = await SqlUsers.open(url());
      const connection = url();
      host = await TestHost.start([
        { ...authSql({ connection, syncSchema: true }), name: "sql-users" },
        { ...authSql({ connection, authenticate: false, authorize: true, cacheSeconds: 0 }), name: "sql-topics" },
      ]);
    });
    afterAll(async () => {
      await host.close();
      await users.close();
    });
    const may = async (action: Action, topic: string) =>
      isAllowed((await host.chain.authorize?.(testClient({ username: "alice" }), action, topic)) as Verdict);
    /** What aMQTT reads: the column as plain data. */
    async function column(username: string, name: "publish_acl" | "subscribe_acl"): Promise<unknown> {
      const { db } = await openDatabase<Tables>(url());
      const row = await db.selectFrom("topic_auth").select(name).where("username", "=", username).executeTakeFirst();
      await db.destroy();
      const stored = row?.[name];
      return typeof stored === "string" ? (JSON.parse(stored) as unknown) : stored;
    }

    test("its users enter and use their topics", async () => {
      expect(await host.chain.authenticate(testClient({ username: "alice" }), bytes("secret"))).toMatchObject({
        reasonCode: 0,
        username: "alice",
      });
      expect(await may("publish", "home/lamp/set")).toBe(true);
      expect(await may("publish", "home/lamp/state")).toBe(false);
      expect(await may("subscribe", "home/#")).toBe(true);
      expect(await may("subscribe", "news")).toBe(true);
      expect(await may("receive", "home/lamp/state")).toBe(true);
      expect(await may("receive", "other")).toBe(false);
      expect(host.failures).toEqual([]);
    });

    test("a topic that is added joins those that are there, in the form that aMQTT reads", async () => {
      expect(await users.listTopics()).toEqual([
        { username: "alice", publish: ["home/+/set"], subscribe: ["home/#", "news"], receive: ["home/#"] },
      ]);
      await users.addTopic("alice", "publish", "cmd/#");
      expect(await column("alice", "publish_acl")).toEqual([{ topic: "home/+/set" }, { topic: "cmd/#" }]);
      expect(await may("publish", "home/lamp/set")).toBe(true);
      expect(await may("publish", "cmd/x")).toBe(true);
      await users.removeTopic("alice", "subscribe", "news");
      expect(await column("alice", "subscribe_acl")).toEqual([{ topic: "home/#" }]);
      await users.addTopic("bob", "publish", "b");
      expect(await column("bob", "publish_acl")).toEqual([{ topic: "b" }]);
    });

    test("a user that is added enters", async () => {
      await users.addUser("carol", "pw");
      expect(await host.chain.authenticate(testClient({ username: "carol" }), bytes("pw"))).toMatchObject({
        reasonCode: 0,
      });
    });
  });
}
