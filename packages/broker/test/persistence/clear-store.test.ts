import { MemoryStore } from "@wrenmq/store";
import { expect, test } from "vitest";
import { startBroker } from "../support.ts";

async function leaveSomething(store: MemoryStore, clearOnShutdown: boolean) {
  const fixture = await startBroker({ store, clearOnShutdown });
  const client = await fixture.connect(5, { clientId: "c", properties: { sessionExpiryInterval: 3600 } });
  await client.subscribe("q/#", { qos: 1 });
  await client.cut();
  fixture.broker.publish("q/1", "x", { qos: 1, retain: true });
  await fixture.clock.settle();
  return fixture;
}
const kept = ({ sessions, messages, retained }: ReturnType<MemoryStore["stats"]>) => ({ sessions, messages, retained });

test("a shutdown that is to clear the store leaves neither session nor retained message", async () => {
  const store = new MemoryStore();
  const fixture = await leaveSomething(store, true);
  expect(kept(store.stats())).toEqual({ sessions: 1, messages: 1, retained: 1 });
  await fixture.stop();
  store.open();
  expect(kept(store.stats())).toEqual({ sessions: 0, messages: 0, retained: 0 });
});

test("otherwise all is kept; and a start that fails clears nothing", async () => {
  const store = new MemoryStore();
  await (await leaveSomething(store, false)).stop();
  const bad = { name: "bad", setup: () => Promise.reject(new Error("no")) };
  await expect(startBroker({ store, clearOnShutdown: true, plugins: [bad] })).rejects.toThrow("no");
  store.open();
  expect(kept(store.stats())).toEqual({ sessions: 1, messages: 1, retained: 1 });
});
