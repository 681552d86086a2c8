// Which messages are followed, by which plugins, and what becomes of a trace that fails.
import { describe, expect, test, vi } from "vitest";
import { compileHooks, type MessageTrace, type MessageTracing, type PluginMessage } from "../src/index.ts";
import { testClient } from "../src/testing/index.ts";
import { recorder } from "./recorder.ts";

const client = testClient();
const message: PluginMessage = {
  topic: "a",
  payload: new Uint8Array(),
  qos: 0,
  retain: false,
  properties: { contentType: "x", userProperties: [["k", "v"]] },
  publisher: "c",
};
const quiet: MessageTrace = { delivered() {}, queued() {}, dropped() {}, end() {} };

function chainOf(...tracers: readonly (MessageTracing | undefined)[]) {
  const options = recorder();
  const plugins = tracers.map((tracing, index) => ({
    name: `p${index}`,
    hooks: tracing === undefined ? {} : { tracing },
  }));
  return { tracing: compileHooks(plugins, options).tracing, ...options };
}

describe("what is followed", () => {
  test("nothing, where no plugin wants it", () => {
    expect(chainOf(undefined).tracing).toBeUndefined();
  });

  test("all with ratio 1, none with 0, and what has the user property", () => {
    const begin = () => quiet;
    const wants = (tracing: MessageTracing, given: PluginMessage = message) => chainOf(tracing).tracing?.wants(given);
    expect(wants({ ratio: 1, begin })).toBe(true);
    expect(wants({ ratio: 0, begin })).toBe(false);
    expect(wants({ ratio: 0, userProperty: "k", begin })).toBe(true);
    expect(wants({ ratio: 0, userProperty: "v", begin })).toBe(false);
    expect(wants({ ratio: 0, userProperty: "k", begin }, { ...message, properties: undefined })).toBe(false);
  });

  test("a part of many with a ratio between", () => {
    const random = vi.spyOn(Math, "random");
    const { tracing } = chainOf({ ratio: 0.5, begin: () => quiet });
    expect([0.1, 0.49, 0.5, 0.9].map((value) => tracing?.wants(random.mockReturnValue(value) && message))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    random.mockRestore();
  });
});

describe("several plugins", () => {
  test("each gets the user properties that the one before made; the last ones count", () => {
    const seen: unknown[] = [];
    const adding = (name: string): MessageTracing => ({
      ratio: 1,
      begin(_client, { properties }) {
        seen.push(properties?.userProperties);
        return { ...quiet, userProperties: [...(properties?.userProperties ?? []), [name, "1"]] };
      },
    });
    const { tracing } = chainOf(adding("a"), { ratio: 1, begin: () => undefined }, adding("b"));
    const trace = tracing?.begin(client, message);
    expect(seen).toEqual([
      [["k", "v"]],
      [
        ["k", "v"],
        ["a", "1"],
      ],
    ]);
    expect(trace?.userProperties?.map(([name]) => name)).toEqual(["k", "a", "b"]);
    expect(message.properties?.userProperties).toEqual([["k", "v"]]);
  });

  test("one that throws is counted once and leaves the others alone", () => {
    const told: string[] = [];
    const good: MessageTrace = {
      delivered: (clientId) => told.push(`delivered ${clientId}`),
      queued: (clientId) => told.push(`queued ${clientId}`),
      dropped: (clientId, reason) => told.push(`dropped ${clientId} ${reason}`),
      end: (reasonCode) => told.push(`end ${reasonCode}`),
    };
    const bad: MessageTrace = {
      ...quiet,
      delivered() {
        throw new Error("boom");
      },
      end: () => told.push("not me"),
    };
    const throwing = (): never => {
      throw new Error("boom");
    };
    const { tracing, failures } = chainOf(
      { ratio: 1, begin: throwing },
      { ratio: 1, begin: () => bad },
      { ratio: 1, begin: () => good },
    );
    const trace = tracing?.begin(client, message);
    for (const clientId of ["x", "y"]) trace?.delivered(clientId, 0);
    trace?.queued("z");
    trace?.dropped("o", "offline");
    trace?.end(0);
    expect(told).toEqual(["delivered x", "delivered y", "queued z", "dropped o offline", "end 0"]);
    expect(failures.map(({ plugin, hook }) => `${plugin} ${hook}`)).toEqual(["p0 tracing", "p1 tracing"]);
    expect(trace?.userProperties).toBeUndefined();
  });

  test("none of them wants this one: there is no trace", () => {
    expect(chainOf({ ratio: 1, begin: () => undefined }).tracing?.begin(client, message)).toBeUndefined();
  });
});
