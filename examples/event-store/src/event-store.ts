// Writes what happens in the broker to an SQLite file, all events of a short time in one transaction.
import { definePlugin } from "@wrenmq/plugin-api";
import { count, milliseconds, options, text } from "@wrenmq/plugin-api/options";
import sqlite from "node-sqlite3-wasm";

interface Event {
  readonly at: number;
  readonly event: string;
  readonly clientId: string;
  readonly topic?: string;
  readonly payload?: Uint8Array;
}

export default definePlugin({
  name: "event-store",
  config: options({
    file: text("the path of a file"),
    /** Milliseconds between two transactions. */
    interval: milliseconds({ min: 1, default: 100 }),
    /** Events that may wait for the next one; more are counted and not kept. */
    most: count({ default: 10_000 }),
  }),
  hooks({ config, context }) {
    const database = new sqlite.Database(config.file);
    database.exec(
      "create table if not exists events (at integer, event text, client_id text, topic text, payload blob)",
    );
    let waiting: Event[] = [];
    let lost = 0;

    const note = (event: string, clientId: string, more: Pick<Event, "topic" | "payload"> = {}): void => {
      if (waiting.length < config.most) waiting.push({ at: Date.now(), event, clientId, ...more });
      else lost++;
    };
    const write = (): void => {
      if (lost > 0) context.logger.warn({ lost }, "events came faster than they could be written");
      lost = 0;
      if (waiting.length === 0) return;
      const events = waiting;
      waiting = [];
      database.exec("begin");
      for (const { at, event, clientId, topic = null, payload = null } of events) {
        database.run("insert into events values (?, ?, ?, ?, ?)", [at, event, clientId, topic, payload]);
      }
      database.exec("commit");
    };
    context.setInterval(write, config.interval);

    return {
      connected: ({ clientId }) => note("connected", clientId),
      disconnected: ({ clientId }) => note("disconnected", clientId),
      subscribed: ({ clientId }, { topicFilter }) => note("subscribed", clientId, { topic: topicFilter }),
      unsubscribed: ({ clientId }, topicFilter) => note("unsubscribed", clientId, { topic: topicFilter }),
      published: (client, { topic, payload }) => note("published", client?.clientId ?? "", { topic, payload }),
      close() {
        write();
        database.close();
      },
    };
  },
});
