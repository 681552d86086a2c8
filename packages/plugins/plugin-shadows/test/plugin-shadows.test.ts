import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Action, isAllowed, type PluginMessage, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { openDatabase } from "@wrenmq/sql-database";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type PluginShadowsOptions, pluginShadows } from "../src/index.ts";
import type { Tables } from "../src/tables.ts";

const folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const message = (topic: string, payload: string): PluginMessage => ({
  topic,
  payload: new TextEncoder().encode(payload),
  qos: 1,
  retain: false,
  properties: undefined,
  publisher: "c1",
});

function requester(host: TestHost) {
  let sent = 0;
  /** Publishes like a client and gives what came back: topic without prefix → content. */
  return async (topic: string, payload: unknown): Promise<Record<string, unknown>> => {
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    host.chain.observe.published?.(testClient(), message(`$shadow/dev/main/${topic}`, text));
    await vi.waitFor(() => expect(host.published.length).toBeGreaterThan(sent));
    const answers = host.published.slice(sent);
    sent = host.published.length;
    return Object.fromEntries(
      answers.map(({ topic: answer, payload: content }) => [
        answer.replace("$shadow/dev/main/", ""),
        JSON.parse(new TextDecoder().decode(content)) as unknown,
      ]),
    );
  };
}
const stop = (host: TestHost) => host.close();

describe.each([
  ["in the broker's store", () => ({})],
  ["in SQLite", () => ({ connection: `sqlite:///${join(folder, "shadows.db")}`, keepVersions: 2 })],
])("shadows %s", (_where, given) => {
  test("get, update, delta and iota, also after a restart", async () => {
    const host = await TestHost.start([pluginShadows(given())]);
    let request = requester(host);
    expect(await request("get", "")).toEqual({
      "get/rejected": { code: 404, message: "shadow not found", timestamp: 1000 },
    });
    const first = await request("update", { state: { desired: { light: "on" } }, clientToken: "t1" });
    expect(Object.keys(first)).toEqual(["update/accepted", "update/documents", "update/delta", "update/iota"]);
    expect(first["update/accepted"]).toEqual({
      state: { desired: { light: "on" } },
      metadata: { desired: { light: { timestamp: 1000 } } },
      version: 1,
      timestamp: 1000,
      clientToken: "t1",
    });
    expect(first["update/documents"]).toMatchObject({
      previous: { version: 0, state: { desired: {}, reported: {} } },
      current: { version: 1, state: { desired: { light: "on" }, reported: {} } },
    });
    expect(first["update/delta"]).toMatchObject({ state: { light: "on" }, version: 1 });
    vi.setSystemTime(2_000_000);
    const second = await request("update", { state: { reported: { light: "on", heat: 20 } } });
    expect(second["update/accepted"]).toMatchObject({ version: 2, timestamp: 2000 });
    expect(second["update/delta"]).toBeUndefined();
    expect(second["update/iota"]).toMatchObject({ state: { heat: null } });
    await request("update", { state: { reported: { heat: null } } });
    await stop(host);

    const again = await TestHost.start([pluginShadows(given())]);
    for (const [topic, stored] of host.retained) again.retained.set(topic, stored);
    request = requester(again);
    expect((await request("get", { clientToken: "t2" }))["get/accepted"]).toMatchObject({
      state: { desired: { light: "on" }, reported: { light: "on" } },
      version: 3,
      timestamp: 2000,
      clientToken: "t2",
    });
    expect((await request("update", { state: { desired: {} } }))["update/accepted"]).toMatchObject({ version: 4 });
    await stop(again);
  });
});

describe("in a database of aMQTT", () => {
  const fixture = fileURLToPath(new URL("fixtures/amqtt-shadows.db", import.meta.url));
  async function start(given: PluginShadowsOptions = {}) {
    const file = join(folder, `amqtt-${Math.random()}.db`);
    copyFileSync(fixture, file);
    const connection = `sqlite+aiosqlite:///${file}`;
    const host = await TestHost.start([pluginShadows({ connection, ...given })]);
    const rows = async () => {
      const { db } = await openDatabase<Tables>(connection);
      const found = await db.selectFrom("shadows_shadow").selectAll().orderBy("version").execute();
      await db.destroy();
      return found;
    };
    return { host, connection, request: requester(host), rows };
  }

  test("what it knows is known: the last version, with its time", async () => {
    const { host, request } = await start();
    expect((await request("get", ""))["get/accepted"]).toEqual({
      state: { desired: { light: "on", heat: null }, reported: { light: "off", position: { x: 1 } } },
      metadata: {
        desired: { light: { timestamp: 900 } },
        reported: { light: { timestamp: 900 }, position: { x: { timestamp: 900 } } },
      },
      version: 2,
      timestamp: 950,
    });
    await host.close();
  });

  test("an update becomes the next version, in the form that aMQTT reads; the old ones stay", async () => {
    const { host, request, rows } = await start();
    expect((await request("update", { state: { reported: { light: "on" } } }))["update/accepted"]).toMatchObject({
      version: 3,
    });
    await host.close();
    const found = await rows();
    expect(found.map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(found[2]).toMatchObject({ device_id: "dev", name: "main", created_at: 1000 });
    expect(found[2]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(JSON.parse(found[2]?.state as string)).toMatchObject({
      state: { desired: { light: "on" }, reported: { light: "on", position: { x: 1 } } },
      metadata: { reported: { light: { timestamp: 1000 }, position: { x: { timestamp: 900 } } } },
    });
  });

  test("with keepVersions older ones go", async () => {
    const { host, request, rows } = await start({ keepVersions: 2 });
    await request("update", { state: { reported: { light: "on" } } });
    await host.close();
    expect((await rows()).map(({ version }) => version)).toEqual([2, 3]);
  });

  test("when the database has shadows of ours too, these count, and the log says what stays behind", async () => {
    const { host, connection } = await start();
    await host.close();
    const { db } = await openDatabase<Tables>(connection);
    await db.schema
      .createTable("shadows")
      .addColumn("id", "integer", (column) => column.primaryKey())
      .addColumn("device", "text")
      .addColumn("name", "text")
      .addColumn("version", "integer")
      .addColumn("document", "text")
      .execute();
    const document = JSON.stringify({ state: { desired: {}, reported: {} }, metadata: {}, version: 7, timestamp: 1 });
    await db.insertInto("shadows").values({ device: "dev", name: "main", version: 7, document }).execute();
    await db.destroy();
    const again = await TestHost.start([pluginShadows({ connection })]);
    expect(again.logs).toMatchObject([
      { level: "warn", message: expect.stringMatching(/shadows_shadow.*is not read/) },
    ]);
    expect((await requester(again)("get", ""))["get/accepted"]).toMatchObject({ version: 7 });
    await again.close();
  });
});

test("a plugin that closes has answered what it was asked", async () => {
  const host = await TestHost.start([pluginShadows({ connection: `sqlite:///${join(folder, "closing.db")}` })]);
  for (let index = 0; index < 5; index++) {
    const payload = JSON.stringify({ state: { desired: { index } } });
    host.chain.observe.published?.(testClient(), message("$shadow/dev/main/update", payload));
  }
  await host.close();
  expect(host.published.filter(({ topic }) => topic.endsWith("update/accepted"))).toHaveLength(5);
  expect(host.logs).toEqual([]);
});

describe("requests", () => {
  async function start(given: PluginShadowsOptions = {}) {
    const host = await TestHost.start([pluginShadows(given)]);
    return { host, request: requester(host) };
  }

  test("a wrong one is rejected, and the next one is served", async () => {
    const { request } = await start({ maxBytes: 55 });
    expect(await request("update", "{")).toMatchObject({ "update/rejected": { code: 400 } });
    expect(await request("update", { state: { desired: {} }, version: 3, clientToken: "t" })).toMatchObject({
      "update/rejected": { code: 409, clientToken: "t" },
    });
    expect(await request("update", "x".repeat(61))).toMatchObject({ "update/rejected": { code: 413 } });
    await request("update", { state: { desired: { a: "0123456789" } } });
    expect(await request("update", { state: { reported: { b: "0123456789" } } })).toMatchObject({
      "update/rejected": { code: 413, message: "the shadow would become too large" },
    });
    expect(await request("update", { state: { desired: { a: 1 } } })).toMatchObject({
      "update/accepted": { version: 2 },
    });
  });

  test("many at once are served in order", async () => {
    const { host } = await start();
    for (let index = 1; index <= 20; index++) {
      const payload = JSON.stringify({ state: { desired: { index } } });
      host.chain.observe.published?.(testClient(), message("$shadow/dev/main/update", payload));
    }
    const accepted = () => host.published.filter(({ topic }) => topic.endsWith("update/accepted"));
    await vi.waitFor(() => expect(accepted()).toHaveLength(20));
    const versions = accepted().map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)) as unknown);
    expect(versions).toEqual(
      Array.from({ length: 20 }, (_none, index) =>
        expect.objectContaining({ version: index + 1, state: { desired: { index: index + 1 } } }),
      ),
    );
  });

  test("clients may publish get and update only, and not as retained messages", async () => {
    const { host } = await start();
    const publish = (topic: string) => host.chain.publish?.(testClient(), { ...message(topic, "{}"), retain: true });
    for (const topic of ["$shadow/dev/main", "$shadow/dev/main/update/accepted", "$shadow/x", "$shadow/a/b/c/get"]) {
      expect(publish(topic)).toMatchObject({ reasonCode: 0x87 });
    }
    expect(publish("$shadow/dev/main/update")).toMatchObject({ retain: false });
    expect(publish("other")).toMatchObject({ retain: true });
    host.chain.observe.published?.(undefined, message("$shadow/dev/main/get", ""));
    expect(host.published).toEqual([]);
  });

  test("a database that cannot be had stops the start", async () => {
    await expect(start({ connection: "oracle://x" })).rejects.toMatchObject({ code: "ERR_PLUGIN_START" });
  });
});

describe("who may use which shadow", () => {
  const options = { serve: false, authorize: true, superusers: ["root"] };
  async function asker(given: PluginShadowsOptions = options) {
    const host = await TestHost.start([pluginShadows(given)]);
    return (username: string | undefined, action: Action, topic: string) =>
      host.chain.authorize?.(testClient({ username }), action, topic) as Verdict;
  }

  test("its own, or all for a superuser", async () => {
    const ask = await asker();
    const may = (username: string | undefined, action: Action, topic: string) =>
      isAllowed(ask(username, action, topic));
    expect(may("dev", "publish", "$shadow/dev/main/update")).toBe(true);
    expect(may("dev", "subscribe", "$shadow/dev/#")).toBe(true);
    expect(may("dev", "subscribe", "$share/g/$shadow/dev/#")).toBe(true);
    expect(may("root", "subscribe", "$shadow/#")).toBe(true);
    for (const topic of ["$shadow/#", "$shadow/+/main/get", "$shadow/other/main/get", "$share/g/$shadow/#"]) {
      expect(may("dev", "subscribe", topic)).toBe(false);
      expect(may(undefined, "subscribe", topic)).toBe(false);
    }
    expect(may("+", "subscribe", "$shadow/+/main/get")).toBe(false);
    expect(may("dev/main", "publish", "$shadow/dev/main/get")).toBe(false);
    expect(ask("dev", "publish", "other").rule).toBe("no rule allows it");
  });

  test("without serve nothing else is done, without authorize nothing is decided", async () => {
    const host = await TestHost.start([pluginShadows({ serve: false })]);
    expect(host.chain.authorize).toBeUndefined();
    expect(host.chain.publish).toBeUndefined();
    expect((await TestHost.start([pluginShadows()])).chain.authorize).toBeUndefined();
  });
});
