// While a plugin takes its time with a client's password: nobody else waits, the client may go, and it is not late.
import type { Attempt, Hooks } from "@wrenmq/plugin-api";
import { describe, expect, test } from "vitest";
import { createBroker } from "../../src/index.ts";
import { dialTcp, type Held, held, pluginOf, RawClient, RealPace, startBroker } from "../support.ts";

/** Passwords wait in a queue until the test takes them out of it. */
function queueing() {
  const attempts: { readonly attempt: Attempt; readonly begin: () => void; readonly answer: Held<boolean> }[] = [];
  const arrivals: (() => void)[] = [];
  const authenticate: Hooks["authenticate"] = (_client, _password, attempt) => {
    const answer = held<boolean>();
    attempts.push({ attempt, begin: attempt.wait(), answer });
    for (const arrived of arrivals.splice(0)) arrived();
    return answer.promise;
  };
  const first = async () => {
    if (attempts.length === 0) await new Promise<void>((resolve) => arrivals.push(resolve));
    return attempts[0] as (typeof attempts)[number];
  };
  return { authenticate, first };
}
const aborted = ({ signal }: Attempt): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });

describe("an attempt that waits for its turn", () => {
  test("outlives the time that a client has to connect, and ends well", async () => {
    const { authenticate, first } = queueing();
    const fixture = await startBroker({ hooks: { authenticate }, limits: { connectTimeout: 2_000 } });
    const client = fixture.open(5);
    client.send(client.connectPacket({ clientId: "c" }));
    await fixture.clock.settle();
    const { begin, answer } = await first();
    await fixture.clock.advance(60_000);
    expect(client.history).toEqual([]);
    begin();
    answer.keep(true);
    await client.expect("connack", { reasonCode: 0 });
    await client.expectAlive();
    await fixture.stop();
  });

  test("a client that has not said who it is has no such time", async () => {
    const { authenticate } = queueing();
    const fixture = await startBroker({ hooks: { authenticate }, limits: { connectTimeout: 2_000 } });
    const silent = fixture.open(5);
    await fixture.clock.advance(2_001);
    await silent.lastWords();
    await fixture.stop();
  });

  test("is given up when its client has gone; nobody is refused, and nothing is left", async () => {
    const { authenticate, first } = queueing();
    const refused: unknown[] = [];
    const fixture = await startBroker({
      hooks: { authenticate, refused: (...given) => void refused.push(given) },
    });
    const client = fixture.open(5);
    client.send(client.connectPacket({ clientId: "c" }));
    await fixture.clock.settle();
    const { attempt, answer } = await first();
    expect(attempt.signal.aborted).toBe(false);
    client.destroy();
    await fixture.clock.settle();
    expect(attempt.signal.aborted).toBe(true);
    answer.keep(true);
    await fixture.clock.settle();
    expect(fixture.broker.metrics()).toMatchObject({ clientsTotal: 0, hookFailures: 0, connectionsRefused: 0 });
    expect(refused).toEqual([]);
    await fixture.stop();
  });

  test("over a real socket the client's end is seen although nothing is sent to it", async () => {
    const { authenticate, first } = queueing();
    await using broker = createBroker({
      listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
      plugins: [pluginOf("passwords", { authenticate })],
      sys: { intervalSeconds: 0 },
    });
    await broker.start();
    const client = new RawClient(await dialTcp("127.0.0.1", broker.port("tcp") as number), 5, new RealPace());
    client.send(client.connectPacket({ clientId: "c" }));
    const { attempt } = await first();
    client.destroy();
    await aborted(attempt);
  });
});
