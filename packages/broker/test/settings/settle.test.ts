// What is wrong with options is said when they are given, by path, and nothing has begun then.
import { LIMITS } from "@wrenmq/limits";
import { describe, expect, onTestFinished, test } from "vitest";
import { BrokerError, type BrokerOptions, createBroker } from "../../src/index.ts";
import { pluginOf, startBroker } from "../support.ts";

const open = pluginOf("open", { authenticate: () => true });
const acl = pluginOf("acl", { authorize: () => true });

function mistakeOf(act: () => unknown): { option: string | undefined; message: string } {
  try {
    act();
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    expect(error.code).toBe("ERR_BROKER_CONFIG");
    expect(error.message.includes("\n")).toBe(false);
    return { option: error.option, message: error.message };
  }
  throw new Error("nothing was refused");
}
const refused = (options: unknown) => mistakeOf(() => createBroker(options as BrokerOptions));
const listener = (options: object) => refused({ listeners: { one: options } });

describe("createBroker() refuses", () => {
  test.each<[name: string, options: object, option: string, message: RegExp]>([
    ["an option with a mistake in its name", { pluginz: [] }, "pluginz", /unknown option \(did you mean "plugins"\?\)/],
    [
      "keys of the original",
      { "timeout-disconnect-delay": 2 },
      "timeout-disconnect-delay",
      /limits: \{ keepAliveExtra \}/,
    ],
    ["options in another spelling", { hook_timeout: 5 }, "hook_timeout", /did you mean "hookTimeout"/],
    ["listeners in a list", { listeners: [] }, "listeners", /expected a mapping of names to listeners, got a list/],
    ["null", { listeners: null }, "listeners", /expected a mapping of names to listeners, got null/],
    ["one plugin without a list", { plugins: open }, "plugins", /expected a list \(each a plugin\), got a mapping/],
    [
      "a plugin that was not called",
      { plugins: [() => open] },
      "plugins[0]",
      /expected a plugin .* got a function: call it/,
    ],
    ["a plugin by its name", { plugins: ["acl"] }, "plugins[0]", /got a text/],
    [
      "two plugins of one name",
      { plugins: [open, acl, open] },
      "plugins[2].name",
      /plugins\[0\] has the name "open" already/,
    ],
    ["half a store", { store: { open() {} } }, "store", /expected a store \(with open\(\), close\(\)/],
    ["console as the logger", { logger: console }, "logger", /child\(\)/],
    [
      "a word for a number",
      { hookTimeout: "10s" },
      "hookTimeout",
      /expected a number of milliseconds above 0, got "10s"/,
    ],
    ["an unknown strategy", { shared: { strategy: "robin" } }, "shared.strategy", /one of "round-robin"/],
    ["a misspelt word", { sys: { names: "mosquito" } }, "sys.names", /got "mosquito" \(did you mean "mosquitto"\?\)/],
    ["an interval below 0", { sys: { intervalSeconds: -1 } }, "sys.intervalSeconds", /from 0 \(0: no \$SYS\), got -1/],
    ["an unknown key of a group", { session: { expiry: 1 } }, "session.expiry", /unknown option/],
    ["NaN", { session: { maximumExpiry: Number.NaN } }, "session.maximumExpiry", /got NaN/],
  ])("%s", (_name, options, option, message) => {
    const found = refused(options);
    expect(found.option).toBe(option);
    expect(found.message).toMatch(message);
    expect(found.message.startsWith(`createBroker(): ${option}: `)).toBe(true);
  });

  test.each<[name: string, options: object, option: string, message: RegExp]>([
    [
      "an address as the original writes it",
      { type: "tcp", bind: "127.0.0.1:1883" },
      "bind",
      /an address is `host` and `port` here/,
    ],
    ["no port", { type: "tcp" }, "port", /is missing; expected a whole number from 0 to 65535 \(0: any free port\)/],
    ["a port in a text", { type: "tcp", port: "1883" }, "port", /got "1883"/],
    ["no type", { port: 0 }, "type", /is missing; expected one of "tcp", "tls"/],
    ["a type that is none", { type: "tcps", port: 0 }, "type", /got "tcps" \(did you mean "tcp"\?\)/],
    ["a type that every object has", { type: "toString", port: 0 }, "type", /expected one of/],
    ["TLS without certificates", { type: "tls", port: 0 }, "tls", /is missing/],
    [
      "an empty list of certificates",
      { type: "tls", port: 0, tls: { certificates: [] } },
      "tls.certificates",
      /one or more/,
    ],
    [
      "half a certificate",
      { type: "wss", port: 0, tls: { certificates: [{ cert: "a" }] } },
      "tls.certificates[0].key",
      /is missing; expected PEM/,
    ],
    [
      "a misspelt key of TLS",
      { type: "tls", port: 0, tls: { certificates: [{ cert: "a", key: "b" }], requireCert: true } },
      "tls.requireCert",
      /did you mean "requireCertificate"/,
    ],
    [
      "TLS where there is none",
      { type: "tcp", port: 0, tls: {} },
      "tls",
      /only for listeners of type "tls", "wss"; this one is of type "tcp"/,
    ],
    [
      "a limit in a word",
      { type: "tcp", port: 0, maxConnections: "many" },
      "maxConnections",
      /whole number from 0 \(0: no limit\), got "many"/,
    ],
    [
      "a limit of the broker",
      { type: "external", limits: { maxSessions: 5 } },
      "limits.maxSessions",
      /the whole broker has this limit/,
    ],
    [
      "an unknown limit",
      { type: "external", limits: { maxInflght: 5 } },
      "limits.maxInflght",
      /did you mean "maxInflight"/,
    ],
    ["plugins in a text", { type: "external", plugins: "acl" }, "plugins", /expected a list/],
    [
      "a plugin that is not there",
      { type: "external", plugins: ["acll"] },
      "plugins[0]",
      /no plugin has the name "acll"; there are none/,
    ],
  ])("a listener with %s", (_name, options, option, message) => {
    const found = listener(options);
    expect(found.option).toBe(`listeners.one.${option}`);
    expect(found.message).toMatch(message);
  });

  test("a misspelt plugin of a listener, which would leave it without rules", () => {
    const listeners = { one: { type: "external", plugins: ["open", "acll"] } } as const;
    expect(refused({ plugins: [open, acl], listeners }).message).toBe(
      'createBroker(): listeners.one.plugins[1]: no plugin has the name "acll" (did you mean "acl"?); there are open, acl',
    );
  });

  test.each(Object.entries(LIMITS))("a wrong value of the limit %s", (name, { unit }) => {
    for (const value of ["1", -1, null, Number.NaN, {}]) {
      expect(refused({ limits: { [name]: value } }).option).toBe(`limits.${name}`);
    }
    if (unit === "count" || unit === "bytes") {
      expect(refused({ limits: { [name]: 1.5 } }).message).toMatch(/expected a whole number/);
    }
  });

  test("the passphrase of a key is not shown, nor is a key", () => {
    const tls = { certificates: [{ cert: "c", key: "k", passphrase: 424_242 }] };
    expect(listener({ type: "tls", port: 0, tls }).message).not.toMatch(/424242/);
  });
});

test("every default may be said, and undefined is as good as nothing", async () => {
  const limits = Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default]));
  const broker = createBroker({ listeners: {}, limits });
  expect(broker.limits).toEqual(limits);
  const silent = {
    plugins: undefined,
    store: undefined,
    limits: { maxSessions: undefined },
    sys: { intervalSeconds: undefined },
  };
  expect(createBroker({ listeners: {}, ...silent } as unknown as BrokerOptions).limits).toEqual(limits);
});

describe("while the broker runs", () => {
  test("a wrong change changes nothing, whatever it is given to", async () => {
    const { broker, stop } = await startBroker({ plugins: [open], limits: { maxSessions: 7 } });
    onTestFinished(stop);
    expect(mistakeOf(() => broker.setLimits({ maxSessions: "9" } as never)).message).toBe(
      'setLimits(): maxSessions: expected a whole number from 0 (0: no limit), got "9"',
    );
    expect(mistakeOf(() => broker.setLimits({ maxSession: 9 } as never)).option).toBe("maxSession");
    expect(mistakeOf(() => broker.updateListener("memory", { plugins: ["opn"] })).message).toBe(
      'updateListener("memory"): plugins[0]: no plugin has the name "opn" (did you mean "open"?); there are open',
    );
    expect(mistakeOf(() => broker.updateListener("memory", { port: 1 } as never)).option).toBe("port");
    await expect(broker.addListener("two", { type: "tcp" } as never)).rejects.toMatchObject({ option: "port" });
    await expect(broker.addListener("two", { type: "external", plugins: ["x"] })).rejects.toMatchObject({
      code: "ERR_BROKER_CONFIG",
      option: "plugins[0]",
    });
    await expect(broker.setPlugins([acl, acl])).rejects.toMatchObject({ option: "plugins[1].name" });
    await expect(broker.prepare({ listener: {} } as never)).rejects.toMatchObject({ option: "listener" });
    await expect(broker.prepare({ limits: { maxSessions: -1 } })).rejects.toMatchObject({
      option: "limits.maxSessions",
    });
    expect(broker.limits.maxSessions).toBe(7);
    expect([...broker.operations.listeners()].map(({ name, plugins }) => [name, plugins])).toEqual([
      ["memory", undefined],
    ]);
    expect([...broker.operations.plugins()].map(({ name }) => name)).toEqual(["open"]);
  });

  test("a plugin that a listener names cannot be taken away", async () => {
    const listeners = { memory: { type: "external", plugins: ["open", "acl"] } } as const;
    const { broker, stop } = await startBroker({ listeners, plugins: [open, acl] });
    onTestFinished(stop);
    await expect(broker.setPlugins([open])).rejects.toMatchObject({ option: "listeners.memory.plugins[1]" });
    await broker.setPlugins([acl, open]);
  });
});
