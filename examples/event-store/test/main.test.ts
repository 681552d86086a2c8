import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import sqlite from "node-sqlite3-wasm";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import eventStore from "../src/event-store.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("the example prints what it should", async () => {
  const lines: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(line));
  await import("../src/main.ts");
  expect(lines).toEqual(["connected ada", "subscribed ada news/#", "published ada news/today", "disconnected ada"]);
});

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-events-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "events.db");
}

function rows(file: string): unknown[] {
  const database = new sqlite.Database(file);
  const found = database.all("select event, client_id, topic, payload from events order by rowid");
  database.close();
  return found;
}

test("events are written together, and the rest at the end", async () => {
  const file = newFile();
  const host = await TestHost.start([eventStore({ file, interval: 50 })]);
  const { observe } = host.chain;
  const payload = new Uint8Array([0, 255]);
  const client = testClient({ clientId: "a" });
  observe.connected?.(client);
  observe.published?.(client, { topic: "t", payload, qos: 0, retain: false, properties: {}, publisher: "a" });
  host.advance(50);
  observe.published?.(undefined, { topic: "s", payload, qos: 0, retain: false, properties: {}, publisher: "" });
  await host.close();
  expect(rows(file)).toEqual([
    { event: "connected", client_id: "a", topic: null, payload: null },
    { event: "published", client_id: "a", topic: "t", payload },
    { event: "published", client_id: "", topic: "s", payload },
  ]);
});

test("what comes too fast is counted, and the broker goes on", async () => {
  const file = newFile();
  const host = await TestHost.start([eventStore({ file, most: 2 })]);
  for (const clientId of ["a", "b", "c", "d"]) host.chain.observe.connected?.(testClient({ clientId }));
  await host.close();
  expect(rows(file)).toHaveLength(2);
  expect(host.logs).toEqual([
    { level: "warn", fields: { plugin: "event-store", lost: 2 }, message: expect.stringContaining("faster") },
  ]);
  expect(host.failures).toEqual([]);
});
