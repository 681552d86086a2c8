// From a configuration, in any form, to a broker in this process that clients can use.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "@wrenmq/plugin-api";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { dialTcp, RawClient, RealPace } from "../../../tools/testkit/src/index.ts";
import { brokerFromConfig, type ConfiguredBroker, type HostOptions, whoMayConnect } from "../src/index.ts";

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-host-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    if (name.includes("/")) await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function started(
  source: string | object,
  options: HostOptions & { base?: string } = {},
): Promise<ConfiguredBroker> {
  const host = await brokerFromConfig(source, options);
  onTestFinished(() => host.close());
  await host.broker.start();
  return host;
}

async function clientOf(host: ConfiguredBroker, listener = "default"): Promise<RawClient> {
  return new RawClient(await dialTcp("127.0.0.1", host.broker.port(listener) as number), 5, new RealPace());
}

/** The reason code of CONNACK. */
async function enter(host: ConfiguredBroker, credentials: object = {}): Promise<number> {
  const client = await clientOf(host);
  const { reasonCode } = await client.connect({ clientId: `c${clientNumber++}`, ...credentials });
  return reasonCode;
}
let clientNumber = 0;

class Lines implements Logger {
  readonly lines: { readonly message: string; readonly fields: object }[] = [];
  readonly #add = (fields: object, message: string): void => void this.lines.push({ fields, message });
  debug = this.#add;
  info = this.#add;
  warn = this.#add;
  error = this.#add;
  child(): Logger {
    return this;
  }
}

const NATIVE = "listeners: { default: { bind: 127.0.0.1:0 } }\n";
const open = { name: "own", setup: () => ({ authenticate: () => true }) };

describe("brokerFromConfig", () => {
  test("takes the dictionary of the original", async () => {
    const host = await started({
      listeners: { default: { type: "tcp", bind: "127.0.0.1:0", max_connections: 10 } },
      "timeout-disconnect-delay": 2,
      plugins: [{ "amqtt.plugins.authentication.AnonymousAuthPlugin": { allow_anonymous: true } }],
    });
    expect(await enter(host)).toBe(0);
    expect(host.broker.limits.keepAliveExtra).toBe(2);
    expect([...host.broker.operations.plugins()].map(({ name }) => name)).toEqual(["anonymous"]);
  });

  test("takes a YAML file of the original, and the native form as a file or an object", async () => {
    const legacy = "listeners:\n  default:\n    type: tcp\n    bind: 127.0.0.1:0\nauth:\n  allow-anonymous: true\n";
    const folder = await folderWith({ "old.yaml": legacy, "new.yaml": `${NATIVE}plugins: { anonymous: {} }\n` });
    for (const source of [
      join(folder, "old.yaml"),
      join(folder, "new.yaml"),
      { wrenmq: 1, listeners: { default: { bind: "127.0.0.1:0" } }, plugins: { anonymous: {} } },
    ]) {
      const host = await started(source);
      expect(await enter(host)).toBe(0);
      await host.close();
      expect(host.broker.state).toBe("stopped");
    }
  });

  test("paths of an object belong to its base, plugins and packages too", async () => {
    const plugin = (name: string) =>
      `export default { name: "x", setup: () => ({ authenticate: () => true, ${name}: () => {} }) };`;
    const folder = await folderWith({
      "mine.mjs": plugin("connected"),
      "node_modules/their-plugin/package.json": '{ "name": "their-plugin", "type": "module", "exports": "./index.js" }',
      "node_modules/their-plugin/index.js": plugin("disconnected"),
    });
    const host = await started(
      {
        wrenmq: 1,
        listeners: { default: { bind: "127.0.0.1:0" } },
        plugins: { mine: { use: "./mine.mjs" }, theirs: { use: "their-plugin" } },
        store: { path: "data" },
      },
      { base: folder },
    );
    expect(host.config.store.path).toBe(join(folder, "data"));
    expect([...host.broker.operations.plugins()].map(({ hooks }) => hooks)).toEqual([
      ["authenticate", "connected"],
      ["authenticate", "disconnected"],
    ]);
  });

  test("keeps in its store what has to outlive it", async () => {
    const folder = await folderWith({ "c.yaml": `${NATIVE}plugins: { anonymous: {} }\nstore: { path: data }\n` });
    const first = await started(join(folder, "c.yaml"));
    first.broker.publish("kept", "x", { retain: true });
    await first.close();
    const second = await started(join(folder, "c.yaml"));
    expect([...second.broker.retained("#")].map(({ topic }) => topic)).toEqual(["kept"]);
  });

  test("says every mistake, with its key, and has begun nothing", async () => {
    const bad = { wrenmq: 1, listeners: { default: { bind: "nowhere:x" } }, pluginz: {}, store: { path: 5 } };
    const error = await brokerFromConfig(bad).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "ERR_CONFIG" });
    const { diagnostics } = error as { diagnostics: { key: string; file?: string }[] };
    expect(diagnostics.map(({ key }) => key).sort()).toEqual(["listeners.default.bind", "pluginz", "store.path"]);
    expect(diagnostics.map(({ file }) => file)).toEqual([undefined, undefined, undefined]);
    await expect(brokerFromConfig("/nowhere/c.yaml")).rejects.toMatchObject({ code: "ERR_CONFIG" });
    const missing = { wrenmq: 1, plugins: { "password-file": { file: "users.txt" } } };
    await expect(brokerFromConfig(missing, { base: tmpdir() })).rejects.toThrow("plugins.password-file.file");
    const unknown = { wrenmq: 1, plugins: { x: { use: "no-such-package" } } };
    await expect(brokerFromConfig(unknown)).rejects.toThrow('plugins.x.use: there is no package "no-such-package"');
  });

  test("warns, also of what an embedded broker leaves to the command", async () => {
    const logger = new Lines();
    const host = await started(
      { wrenmq: 1, listeners: { default: { bind: "0.0.0.0:0" } }, plugins: { anonymous: {} }, workers: 2 },
      { logger },
    );
    expect(host.warnings).toEqual([
      expect.stringContaining("anonymous clients may connect from other machines"),
      "workers: an embedded broker is one process (see @wrenmq/workers)",
    ]);
    expect(logger.lines.map(({ message }) => message)).toEqual(expect.arrayContaining([...host.warnings]));
  });
});

describe("plugins of the program", () => {
  test("are asked with those of the configuration, and stay when it is read again", async () => {
    const logger = new Lines();
    const config = { wrenmq: 1, listeners: { default: { bind: "127.0.0.1:0" } }, plugins: {} as object };
    const host = await started(config, { logger, plugins: [open] });
    expect(await enter(host)).toBe(0);
    expect(logger.lines).toContainEqual({
      message: "clients may connect",
      fields: expect.objectContaining({ who: 'whoever plugin "own" accepts' }),
    });
    config.plugins = { taboo: { topics: ["secret"] } };
    expect(await host.reload()).toMatchObject({ changed: true, needsRestart: [] });
    expect([...host.broker.operations.plugins()].map(({ name }) => name)).toEqual(["taboo", "own"]);
    expect(await enter(host)).toBe(0);
  });

  test("one name is one plugin", async () => {
    const twice = { wrenmq: 1, plugins: { anonymous: {} } };
    await expect(brokerFromConfig(twice, { plugins: [{ ...open, name: "anonymous" }] })).rejects.toMatchObject({
      code: "ERR_BROKER_CONFIG",
      option: "plugins[1].name",
    });
  });
});

describe("reload", () => {
  test("applies what is different in the file; clients stay", async () => {
    const folder = await folderWith({ "c.yaml": `${NATIVE}plugins: { anonymous: {} }\n` });
    const file = join(folder, "c.yaml");
    const host = await started(file);
    const client = await clientOf(host);
    await client.connect({ clientId: "stays" });
    const port = host.broker.port("default");
    await writeFile(file, `${NATIVE}plugins: { anonymous: { allow: false } }\nlimits: { max_sessions: 3 }\n`);
    expect(await host.reload()).toMatchObject({ changed: true });
    expect(host.broker.limits.maxSessions).toBe(3);
    expect(host.config.limits.maxSessions).toBe(3);
    expect(host.broker.port("default")).toBe(port);
    await expect(enter(host)).rejects.toThrow("A user name is needed");
    expect([...host.broker.clients()].map(({ clientId }) => clientId)).toEqual(["stays"]);
  });

  test("a dry run says what is different, and changes nothing", async () => {
    const folder = await folderWith({ "c.yaml": `${NATIVE}plugins: { anonymous: {} }\n` });
    const file = join(folder, "c.yaml");
    const host = await started(file);
    const before = host.broker.limits.maxSessions;
    const text = `${NATIVE}plugins: { anonymous: {} }\nlimits: { max_sessions: 3 }\nworkers: 2\n`;
    await writeFile(file, text);
    const expected = {
      changed: true,
      source: file,
      needsRestart: ["workers"],
      changes: [
        { key: "limits.max_sessions", before: String(before), after: "3", effect: "now" },
        { key: "workers", before: "1", after: "2", effect: "restart" },
      ],
    };
    expect(await host.reload({ dryRun: true })).toMatchObject(expected);
    expect(host.broker.limits.maxSessions).toBe(before);
    // What waits for a restart is still different after the reload.
    expect(await host.reload()).toMatchObject(expected);
    expect(await host.reload({ dryRun: true })).toMatchObject({ changes: expected.changes.slice(1) });
    await writeFile(file, `${NATIVE}plugins: { anonymus: {} }\n`);
    expect(await host.reload({ dryRun: true })).toMatchObject({
      changed: false,
      problem: expect.stringContaining('did you mean "anonymous"'),
    });
    expect(host.broker.limits.maxSessions).toBe(3);
  });

  test("with a mistake changes nothing, and says what it is", async () => {
    const folder = await folderWith({ "c.yaml": `${NATIVE}plugins: { anonymous: {} }\n` });
    const file = join(folder, "c.yaml");
    const host = await started(file);
    await writeFile(file, `${NATIVE}plugins: { anonymus: {} }\n`);
    const { changed, problem } = await host.reload();
    expect(changed).toBe(false);
    expect(problem).toContain('did you mean "anonymous"');
    expect(await enter(host)).toBe(0);
  });
});

describe("who may connect", () => {
  const section = (name: string) => ({ name, use: `./${name}.mjs`, origin: "path", options: {} }) as const;
  const listener = { name: "a", access: "inherit" } as Parameters<typeof whoMayConnect>[0];
  const anonymous = { name: "anonymous", use: "anonymous", origin: "built-in", options: { allow: true } } as const;

  test("names plugins that say who may enter, not those that only watch", () => {
    const plugins = [section("event-store"), section("door"), anonymous];
    const who = (names: string[]) => whoMayConnect(listener, { plugins }, new Map([["a", names]]));
    expect(who(["door", "anonymous"])).toBe('whoever plugin "door" accepts, clients without a user name');
    expect(who(["anonymous"])).toBe("clients without a user name");
    expect(who([])).toBe("nobody: no plugin lets clients in");
  });
});

afterEach(() => {
  clientNumber = 0;
});
