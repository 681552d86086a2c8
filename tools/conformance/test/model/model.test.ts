// A broker and a model of it are given the same random commands. What must hold, whatever happens: no message above QoS 0
// is lost to a session that lasts, none of QoS 2 comes twice, those of one publisher and topic come in order, and when all
// sessions have expired nothing is left in memory.
import { startBroker } from "@wrenmq/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ModelBroker } from "./model-broker.ts";

type QoS = 0 | 1 | 2;

type Command =
  | {
      readonly do: "connect";
      readonly who: number;
      readonly version: 4 | 5;
      readonly clean: boolean;
      readonly expiry: number;
      readonly receiveMaximum: number;
    }
  | { readonly do: "cut" | "disconnect" | "slow" | "answer"; readonly who: number }
  | { readonly do: "subscribe"; readonly who: number; readonly filter: number; readonly qos: QoS }
  | { readonly do: "unsubscribe"; readonly who: number; readonly filter: number }
  | { readonly do: "publish"; readonly who: number; readonly topic: number; readonly qos: QoS; readonly lost: boolean }
  | { readonly do: "wait"; readonly seconds: number };

const CLIENTS = 6;
const FILTERS = ["a/b", "a/+", "a/#", "#", "+/b", "+/+"] as const;
const TOPICS = ["a/b", "a/c", "x/b"] as const;

const who = fc.nat(CLIENTS - 1);
const qos = fc.constantFrom<QoS>(0, 1, 2);
const version = fc.constantFrom<4 | 5>(4, 5);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("connect" as const),
      who,
      version,
      clean: fc.boolean(),
      expiry: fc.constantFrom(0, 20, 60),
      receiveMaximum: fc.constantFrom(1, 3, 65_535),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "disconnect" as const, "slow" as const), who }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("answer" as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("subscribe" as const), who, filter: fc.nat(FILTERS.length - 1), qos }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), who, filter: fc.nat(FILTERS.length - 1) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      who,
      topic: fc.nat(TOPICS.length - 1),
      qos,
      lost: fc.nat(7).map((number) => number === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 30 }) }) },
);

async function run(commands: readonly Command[]): Promise<void> {
  const fixture = await startBroker({ session: { defaultExpiry: 50 }, limits: { maxInflight: 5 } });
  const model = new ModelBroker(fixture, CLIENTS);
  try {
    for (const step of commands) {
      if (step.do === "connect") model.connect(step.who, step.version, step.clean, step.expiry, step.receiveMaximum);
      else if (step.do === "subscribe") model.subscribe(step.who, FILTERS[step.filter] as string, step.qos);
      else if (step.do === "unsubscribe") model.unsubscribe(step.who, FILTERS[step.filter] as string);
      else if (step.do === "publish") model.publish(step.who, TOPICS[step.topic] as string, step.qos, step.lost);
      else if (step.do === "wait") model.wait(step.seconds);
      else model.change(step.who, step.do);
    }
    model.settle();
    expect(model.losses()).toEqual([]);
    expect(model.duplicates()).toEqual([]);
    expect(model.disorder()).toEqual([]);
    model.leave();
    const { clientsTotal, subscriptions, queued, inflightIn, inflightOut, retained } = fixture.broker.metrics();
    expect({ clientsTotal, subscriptions, queued, inflightIn, inflightOut, retained }).toEqual({
      clientsTotal: 0,
      subscriptions: 0,
      queued: 0,
      inflightIn: 0,
      inflightOut: 0,
      retained: 0,
    });
    // One timer of the clock drives all deadlines of the broker.
    expect(fixture.clock.pendingTimers).toBeLessThanOrEqual(1);
  } finally {
    await fixture.stop();
  }
}

/** More of them, for a longer search: WRENMQ_MODEL_RUNS=2000. */
const RUNS = Number(process.env["WRENMQ_MODEL_RUNS"] ?? 80);

// A failing run prints its seed and path: pass them to fc.assert to have it again.
test(
  "the broker keeps what the model promises, whatever the clients do",
  async () => {
    await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 200, size: "max" }), run), {
      numRuns: RUNS,
    });
  },
  60_000 + RUNS * 1_000,
);
