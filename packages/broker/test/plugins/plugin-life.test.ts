// How plugins begin and end, at the start of the broker, at its end, and when others take their place.
import type { Hooks, Plugin } from "@wrenmq/plugin-api";
import { describe, expect, test } from "vitest";
import { createBroker } from "../../src/index.ts";
import { held, MemoryLogger, pluginOf, startBroker } from "../support.ts";

/** A plugin that says what happens to it. */
function telling(name: string, said: string[], hooks: Hooks = {}): Plugin {
  const say = (what: string) => () => void said.push(`${name} ${what}`);
  return {
    name,
    setup: () => {
      said.push(`${name} setup`);
      return {
        authenticate: () => true,
        brokerStarting: say("brokerStarting"),
        brokerStarted: say("brokerStarted"),
        brokerStopping: say("brokerStopping"),
        brokerStopped: say("brokerStopped"),
        close: say("hooks close"),
        ...hooks,
      };
    },
    close: say("close"),
  };
}
const BEGIN = ["setup", "brokerStarting", "brokerStarted"];
const END = ["brokerStopping", "hooks close", "close", "brokerStopped"];
const of = (name: string, events: readonly string[]): string[] => events.map((event) => `${name} ${event}`);

describe("plugins that are replaced", () => {
  test("end as at shutdown, and the new ones begin as at the start", async () => {
    const said: string[] = [];
    const fixture = await startBroker({ plugins: [telling("old", said)] });
    expect(said.splice(0)).toEqual(of("old", BEGIN));
    await fixture.broker.setPlugins([telling("new", said)]);
    expect(said.splice(0)).toEqual([...of("new", BEGIN), ...of("old", END)]);
    await fixture.stop();
    expect(said).toEqual(of("new", END));
  });

  test("those that stay the same object go on as they are", async () => {
    const said: string[] = [];
    const kept = telling("kept", said);
    const fixture = await startBroker({ plugins: [kept, telling("old", said)] });
    said.splice(0);
    await fixture.broker.setPlugins([telling("new", said), kept]);
    expect(said.splice(0)).toEqual([...of("new", BEGIN), ...of("old", END)]);
    await fixture.connect(5);
    await fixture.stop();
    expect(said).toEqual([
      "new brokerStopping",
      "kept brokerStopping",
      ...of("kept", ["hooks close", "close"]),
      ...of("new", ["hooks close", "close"]),
      "new brokerStopped",
      "kept brokerStopped",
    ]);
  });

  test("stay when one of the new ones does not start; what had started ends", async () => {
    const said: string[] = [];
    const fixture = await startBroker({ plugins: [telling("old", said)] });
    said.splice(0);
    const bad: Plugin = { name: "bad", setup: () => Promise.reject(new Error("no")) };
    await expect(fixture.broker.setPlugins([telling("new", said), bad])).rejects.toThrow('plugin "bad": no');
    expect(said).toEqual(of("new", ["setup", "hooks close", "close"]));
    await fixture.connect(5);
    await fixture.stop();
  });

  test("stay when the new ones do not go together", async () => {
    const method = { authenticationMethods: { X: () => ({ next: () => ({ status: "failure" }) as const }) } };
    const said: string[] = [];
    const fixture = await startBroker({ plugins: [telling("old", said)] });
    said.splice(0);
    const two = [telling("one", said, method), telling("two", said, method)];
    await expect(fixture.broker.setPlugins(two)).rejects.toThrow('"one" has the authentication method "X" already');
    expect(said.filter((each) => each.startsWith("old"))).toEqual([]);
    expect(said).toEqual(expect.arrayContaining(["one hooks close", "two hooks close"]));
    await fixture.connect(5);
    await fixture.stop();
  });
});

test("two plugins may have the same authentication method on different listeners", async () => {
  const hooks: Hooks = { authenticationMethods: { X: () => ({ next: () => ({ status: "failure" }) as const }) } };
  await using broker = createBroker({
    listeners: { a: { type: "external", plugins: ["one"] }, b: { type: "external", plugins: ["two"] } },
    plugins: [pluginOf("one", hooks), pluginOf("two", hooks)],
    sys: { intervalSeconds: 0 },
  });
  await broker.start();
});

describe("a plugin that takes too long", () => {
  test("to start is named, and what it has opened when it ends after all is closed", async () => {
    const opened = held<Hooks>();
    const said: string[] = [];
    const slow: Plugin = { name: "slow", setup: () => opened.promise };
    const broker = createBroker({ listeners: {}, plugins: [telling("first", said), slow], hookTimeout: 5 });
    await expect(broker.start()).rejects.toMatchObject({
      code: "ERR_PLUGIN_START",
      message: 'plugin "slow": its setup did not end within 5 ms',
    });
    expect(broker.state).toBe("stopped");
    expect(said).toEqual(of("first", ["setup", "hooks close", "close"]));
    const closed = held<void>();
    opened.keep({ close: () => closed.keep() });
    await closed.promise;
  });

  test("to close keeps neither the others nor the broker from ending", async () => {
    const said: string[] = [];
    const logger = new MemoryLogger();
    const never: Hooks = { close: () => new Promise(() => {}) };
    const broker = createBroker({
      listeners: {},
      plugins: [telling("first", said), pluginOf("stuck", never)],
      hookTimeout: 5,
      logger,
      sys: { intervalSeconds: 0 },
    });
    await broker.start();
    await broker.shutdown();
    expect(broker.state).toBe("stopped");
    expect(said).toEqual(expect.arrayContaining(["first hooks close", "first close"]));
    expect(logger.errors).toEqual(["a plugin failed to close"]);
  });
});
