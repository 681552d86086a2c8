import { createBroker, warmUp } from "@wrenmq/broker";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => vi.unstubAllEnvs());

/** Not the timers: the test runner has some of its own. */
const openHandles = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => name !== "Timeout" && name !== "Immediate")
    .sort();

test("every simulated client is served, and nothing stays behind", async () => {
  const broker = createBroker({ listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } }, plugins: [] });
  await broker.start();
  const before = openHandles();
  expect(await warmUp()).toBe(true);
  expect(openHandles()).toEqual(before);
  expect(broker.metrics()).toMatchObject({ connectionsAccepted: 0, packetsReceived: 0, clientsMaximum: 0 });
  await broker.shutdown();
});

test("it is over when it is told so, wherever it is", async () => {
  for (const asked of [1, 2, 25, 100]) {
    let count = 0;
    expect(await warmUp({ until: () => ++count === asked })).toBe(false);
    expect(count).toBe(asked);
  }
});

test("the event loop goes on meanwhile", async () => {
  let turns = 0;
  const count = (): void => {
    turns++;
    again = setImmediate(count);
  };
  let again = setImmediate(count);
  await warmUp();
  clearImmediate(again);
  expect(turns).toBeGreaterThan(150);
});

test("where connections are not raw there is nothing to prepare", async () => {
  vi.stubEnv("WRENMQ_RAW_TCP", "0");
  expect(await warmUp()).toBe(false);
});
