import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBroker } from "@wrenmq/broker";
import mqtt from "mqtt";
import sqlite from "node-sqlite3-wasm";
import eventStore from "./event-store.ts";

const folder = mkdtempSync(join(tmpdir(), "wrenmq-events-"));
const file = join(folder, "events.db");
const everybody = { name: "everybody", setup: () => ({ authenticate: () => true }) };
const broker = createBroker({
  listeners: { local: { type: "tcp", host: "127.0.0.1", port: 0 } },
  plugins: [everybody, eventStore({ file })],
});
await broker.start();

const ada = await mqtt.connectAsync(broker.addresses.get("local") ?? "", { clientId: "ada" });
await ada.subscribeAsync("news/#");
await ada.publishAsync("news/today", "hello", { qos: 1 });
await ada.endAsync();
await broker.shutdown();

const database = new sqlite.Database(file);
for (const { event, client_id, topic } of database.all("select event, client_id, topic from events order by rowid")) {
  console.log([event, client_id, topic].filter((part) => part !== null).join(" "));
}
database.close();
rmSync(folder, { recursive: true });
