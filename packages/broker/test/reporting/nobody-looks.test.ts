// What operators can watch costs nothing while nobody does: neither a clock is read nor anything called for a message. Held
// by counting, not by timing: each seam that a watcher uses is spied on, and a watcher shows that the spy sees it.
import { MemoryStore } from "@wrenmq/store";
import { afterEach, expect, test, vi } from "vitest";
import { ConnectionTaps } from "../../src/connections/connection-taps.ts";
import type { Operations } from "../../src/operations/operations.ts";
import { LatencyProbe } from "../../src/sessions/latency-probe.ts";
import { type BrokerFixture, type RawClient, startBroker } from "../support.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What is called of watchers, and functions that are only there for them. */
function seams() {
  return {
    callbacks: vi.fn(),
    clock: vi.spyOn(performance, "now"),
    latency: vi.spyOn(LatencyProbe.prototype, "begin"),
    connection: vi.spyOn(ConnectionTaps.prototype, "opened"),
  };
}

async function exchange(fixture: BrokerFixture, publisher: RawClient, subscriber: RawClient): Promise<void> {
  for (let number = 0; number < 20; number++) {
    await fixture.clock.advance(20);
    await publisher.publish("t", String(number), { qos: 1 });
    await subscriber.take("t", String(number));
  }
  await (await fixture.connect(5, { clientId: "passer-by" })).disconnect();
}

type Seams = ReturnType<typeof seams>;
type Watch = (operations: Operations, called: () => void) => () => void;

/** With the seams that it uses. */
const WATCHERS: readonly (readonly [name: string, watch: Watch, seen: readonly (keyof Seams)[]])[] = [
  ["latency", (operations, called) => operations.watchLatency(called), ["callbacks", "clock", "latency"]],
  [
    "deliveries",
    (operations, called) => operations.tapMessages({ delivered: called, queued: called, dropped: called }),
    ["callbacks"],
  ],
  ["messages of a topic", (operations, called) => operations.watchMessages("t", called), ["callbacks"]],
  [
    "one client",
    (operations, called) =>
      operations.tapClient("passer-by", {
        packet: called,
        authorized: called,
        published: called,
        refused: called,
        disconnected: called,
      }),
    ["callbacks", "connection"],
  ],
  [
    "the store",
    (operations, called) => {
      operations.watchCommits(called);
      return () => operations.watchCommits(undefined);
    },
    ["callbacks", "clock"],
  ],
  [
    "plugins",
    (operations, called) => {
      operations.watchAnswers(called);
      return () => operations.watchAnswers(undefined);
    },
    ["callbacks", "clock"],
  ],
];

async function start() {
  const fixture = await startBroker({
    store: new MemoryStore(),
    hooks: { authorize: (_client, action) => (action === "publish" ? Promise.resolve(true) : true) },
  });
  const subscriber = await fixture.connect(5, { clientId: "sub", properties: { sessionExpiryInterval: 60 } });
  await subscriber.subscribe("t", { qos: 1 });
  const publisher = await fixture.connect(5, { clientId: "pub" });
  return { fixture, publisher, subscriber };
}

function expectSilence(spies: Seams): void {
  for (const [name, spy] of Object.entries(spies)) expect([name, spy.mock.calls.length]).toEqual([name, 0]);
}

test("nothing is called, and no clock is read, for what nobody watches", async () => {
  const { fixture, publisher, subscriber } = await start();
  const spies = seams();
  await exchange(fixture, publisher, subscriber);
  expectSilence(spies);
  await fixture.stop();
});

test.each(WATCHERS)("%s: seen while somebody watches, and silent after it", async (_name, watch, seen) => {
  const { fixture, publisher, subscriber } = await start();
  const spies = seams();
  const end = watch(fixture.broker.operations, spies.callbacks);
  await exchange(fixture, publisher, subscriber);
  for (const name of seen) expect([name, spies[name].mock.calls.length > 0]).toEqual([name, true]);
  end();
  for (const spy of Object.values(spies)) spy.mockClear();
  await exchange(fixture, publisher, subscriber);
  expectSilence(spies);
  await fixture.stop();
});
