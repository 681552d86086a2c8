import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Action,
  type ClientInfo,
  definePlugin,
  type Plugin,
  PluginError,
  type StandardResult,
  type StandardSchema,
} from "../src/index.ts";
import { list, number, oneOf, optional, options, record, string, text } from "../src/options/index.ts";
import { TestHost, testClient } from "../src/testing/index.ts";

const schema = options({
  passwordFile: text(),
  mode: oneOf(["json", "form"], { default: "json" }),
  limit: number({ min: 1, max: 9, integer: true, default: 3 }),
  topics: optional(record(list(string()))),
});

describe("definePlugin", () => {
  test("types of config and hooks are inferred", () => {
    const factory = definePlugin({
      name: "typed",
      config: schema,
      hooks({ config }) {
        expectTypeOf(config.passwordFile).toEqualTypeOf<string>();
        expectTypeOf(config.mode).toEqualTypeOf<"json" | "form">();
        expectTypeOf(config.topics).toEqualTypeOf<ReadonlyMap<string, readonly string[]> | undefined>();
        return {
          authorize(client, action, topic) {
            expectTypeOf(client).toEqualTypeOf<ClientInfo>();
            expectTypeOf(action).toEqualTypeOf<Action>();
            return topic !== config.mode;
          },
        };
      },
    });
    expectTypeOf(factory).parameter(0).toExtend<{ readonly passwordFile: string }>();
    expectTypeOf(factory).returns.toEqualTypeOf<Plugin>();
    expectTypeOf(factory).toBeCallableWith({ passwordFile: "f" });
    // @ts-expect-error a needed option is missing
    expect(() => factory({})).toThrow();
    // @ts-expect-error not one of the words
    expect(() => factory({ passwordFile: "f", mode: "xml" })).toThrow();
    const bare = definePlugin({ name: "bare", hooks: () => ({ connected() {} }) });
    expectTypeOf(bare).parameters.toEqualTypeOf<[]>();
  });

  test("any Standard Schema will do, also an asynchronous one", async () => {
    const later: StandardSchema<{ n: number }, { doubled: number }> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: async (value): Promise<StandardResult<{ doubled: number }>> => {
          const { n } = value as { n: unknown };
          return typeof n === "number"
            ? { value: { doubled: 2 * n } }
            : { issues: [{ message: "no", path: [{ key: "n" }] }] };
        },
      },
    };
    const seen: number[] = [];
    const factory = definePlugin({
      name: "later",
      config: later,
      hooks({ config }) {
        seen.push(config.doubled);
        return {};
      },
    });
    await TestHost.start([factory({ n: 4 })]);
    expect(seen).toEqual([8]);
    await expect(TestHost.start([factory({ n: "x" as unknown as number })])).rejects.toThrow('plugin "later": n: no');
  });

  test.each([
    [{}, 'plugin "f": passwordFile: is missing; expected a text that is not empty'],
    [{ passwordFile: 3 }, "passwordFile: expected a text that is not empty, got 3"],
    [{ passwordFile: "f", mdoe: "json" }, "mdoe: unknown option; known are passwordFile, mode, limit, topics"],
    [{ passwordFile: "f", "password-file": "g" }, "password-file: given twice in different spellings"],
    [{ passwordFile: "f", limit: 10 }, "limit: expected a whole number from 1 up to 9, got 10"],
    [{ passwordFile: "f", topics: { u: ["a", 1] } }, "topics.u.1: expected a text, got 1"],
    [{ passwordFile: "f", topics: [] }, "topics: expected a mapping, got a list"],
    [[], "expected a mapping, got a list"],
  ])("wrong options are named: %j", (given, message) => {
    const factory = definePlugin({ name: "f", config: schema, hooks: () => ({}) });
    let error: unknown;
    try {
      factory(given as { passwordFile: string });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(PluginError);
    expect((error as PluginError).code).toBe("ERR_PLUGIN_CONFIG");
    expect((error as PluginError).message).toContain(message);
  });

  test("keys may be written with hyphens and underscores", async () => {
    const files: string[] = [];
    const factory = definePlugin({
      name: "f",
      config: schema,
      hooks: ({ config }) => {
        files.push(config.passwordFile);
        return {};
      },
    });
    for (const key of ["passwordFile", "password-file", "password_file"]) {
      await TestHost.start([factory({ [key]: key } as { passwordFile: string })]);
    }
    expect(files).toEqual(["passwordFile", "password-file", "password_file"]);
  });
});

describe("TestHost", () => {
  test("runs timers, records what plugins do and closes in reverse", async () => {
    const closed: string[] = [];
    const make = (name: string) =>
      definePlugin({
        name,
        hooks({ context }) {
          context.setInterval(() => context.publish(`${name}/tick`, "x", { retain: true }), 1000);
          context.setTimeout(() => context.disconnect("client"), 1500);
          return { connected: (client) => void context.subscribe(client.clientId, "a", 1) };
        },
        close: () => void closed.push(name),
      })();
    const host = await TestHost.start([make("a"), make("b")], { clients: [testClient()] });
    host.advance(2000);
    expect(host.published.map(({ topic }) => topic)).toEqual(["a/tick", "b/tick", "a/tick", "b/tick"]);
    expect([...host.retained.keys()]).toEqual(["a/tick", "b/tick"]);
    expect(host.disconnected).toHaveLength(2);
    host.chain.observe.connected?.(testClient());
    expect(host.sessions.get("client")?.subscriptions.get("a")).toEqual({ qos: 1 });
    await host.close();
    expect(closed).toEqual(["b", "a"]);
    host.advance(5000);
    expect(host.published).toHaveLength(4);
  });
});
