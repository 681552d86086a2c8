// Every built-in plugin twice in one configuration, as the original's pairs are: no two instances share an attribute, a
// table, a cache or a counter, and each gives back what it holds.
import { createHmac } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { addUser } from "@wrenmq/auth-password";
import { addScramUser } from "@wrenmq/auth-scram";
import { SqlUsers } from "@wrenmq/auth-sql";
import { createToken } from "@wrenmq/auth-token";
import { createBroker } from "@wrenmq/broker";
import { type BuiltInPlugin, parseConfig } from "@wrenmq/config";
import { BUILT_IN_PLUGINS, loadPlugins } from "@wrenmq/host";
import type { ClientInfo, Hooks, Identity, Plugin, PluginMessage } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "./support/folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const cheap = { cost: 1024 };

interface Pair {
  readonly host: TestHost;
  readonly one: Hooks;
  readonly two: Hooks;
  /** What an instance says to a password; a yes leaves its attributes with the client. */
  enter(hooks: Hooks, client: ClientInfo, password?: string): Promise<boolean | undefined>;
  /** What it says about publishing to a topic. */
  may(hooks: Hooks, client: ClientInfo, topic: string): Promise<boolean | undefined>;
}

/** Two instances of a plugin, each with its options, as the entries `one` and `two` of a configuration. */
async function pairOf(use: BuiltInPlugin, first: object, second: object): Promise<Pair> {
  const host = await TestHost.start([]);
  const make = await BUILT_IN_PLUGINS[use]();
  const plugins: Plugin[] = [make(first as never), make(second as never)];
  const hooks: Hooks[] = [];
  for (const [index, plugin] of plugins.entries()) {
    hooks.push(await plugin.setup(host.contextFor(index === 0 ? "one" : "two")));
  }
  onTestFinished(async () => {
    for (const each of hooks) await each.close?.();
    await host.close();
  });
  const said = (answer: boolean | { readonly reasonCode: number } | undefined): boolean | undefined =>
    typeof answer === "object" ? answer.reasonCode < 0x80 : answer;
  return {
    host,
    one: hooks[0] as Hooks,
    two: hooks[1] as Hooks,
    async enter(hooks, client, password) {
      const attempt = { signal: new AbortController().signal, wait: () => () => {} };
      const answer = await hooks.authenticate?.(client, password === undefined ? undefined : bytes(password), attempt);
      if (said(answer) === true) Object.assign(client.attributes, (answer as Identity).attributes);
      return said(answer);
    },
    may: async (hooks, client, topic) => said(await hooks.authorize?.(client, "publish", topic)),
  };
}

const message = (topic: string, payload: string): PluginMessage => {
  return { topic, payload: bytes(payload), qos: 1, retain: false, properties: undefined, publisher: "c" };
};

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const SECRET = "a secret that is long enough for HS256";
function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** What two instances of each plugin must not have in common. */
const APART: Readonly<Record<BuiltInPlugin, (folder: string) => Promise<void>>> = {
  anonymous: async () => {
    const { one, two, enter } = await pairOf("anonymous", { allow: true }, { allow: false });
    expect(await enter(one, testClient())).toBe(true);
    expect(await enter(two, testClient())).toBe(false);
  },

  "password-file": async (folder) => {
    const files = ["a", "b"].map((name) => join(folder, name));
    for (const file of files) await addUser(file, "ada", `secret of ${file}`, cheap);
    const [a = "", b = ""] = files;
    const { one, two, enter } = await pairOf("password-file", { file: a }, { file: b });
    const client = testClient({ username: "ada" });
    for (let time = 0; time < 2; time++) {
      expect(await enter(one, client, `secret of ${a}`)).toBe(true);
      expect(await enter(two, client, `secret of ${a}`)).toBe(false);
    }
    const others = Object.keys(client.attributes);
    expect(await enter(two, client, `secret of ${b}`)).toBe(true);
    expect(Object.keys(client.attributes)).toHaveLength(others.length + 1);
  },

  acl: async () => {
    const { one, two, may } = await pairOf("acl", { publish: { ada: ["a"] } }, { publish: { ada: ["b"] } });
    const client = testClient({ username: "ada" });
    expect([await may(one, client, "a"), await may(two, client, "a")]).toEqual([true, false]);
  },

  taboo: async () => {
    const { one, two, may } = await pairOf("taboo", { topics: ["a"] }, { topics: ["b"] });
    expect([await may(one, testClient(), "a"), await may(two, testClient(), "a")]).toEqual([false, true]);
  },

  jwt: async () => {
    const options = { secretKey: SECRET, algorithms: ["HS256"], authorize: true };
    const { one, two, enter, may } = await pairOf(
      "jwt",
      { ...options, publishClaim: "first" },
      { ...options, publishClaim: "second" },
    );
    const client = testClient({ username: "ada" });
    const token = jwt({ sub: "ada", first: ["a"], second: ["b"] });
    expect([await enter(one, client, token), await enter(two, client, token)]).toEqual([true, true]);
    expect([await may(one, client, "a"), await may(two, client, "a")]).toEqual([true, false]);
    expect([await may(one, client, "b"), await may(two, client, "b")]).toEqual([false, true]);
  },

  http: async () => {
    const asked: string[] = [];
    const server = createHttpServer((request, response) => {
      asked.push(request.url ?? "");
      response.end('{"ok": true}');
    });
    const common = { host: "127.0.0.1", port: await listening(server) };
    const { one, two, enter } = await pairOf("http", common, common);
    const client = testClient({ username: "ada" });
    for (const hooks of [one, two, one, two]) expect(await enter(hooks, client, "x")).toBe(true);
    expect(asked).toHaveLength(2);
    const open = () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
    expect(await open()).toBeGreaterThan(0);
    for (const hooks of [one, two]) await hooks.close?.();
    await expect.poll(open).toBe(0);
  },

  ldap: async () => {
    const ports: number[] = [];
    const connections = [0, 0];
    for (const index of [0, 1]) {
      const server = createServer((socket) => {
        connections[index] = (connections[index] ?? 0) + 1;
        socket.on("error", () => {}).destroy();
      });
      ports.push(await listening(server));
    }
    const options = (index: number) => ({
      server: `ldap://127.0.0.1:${ports[index]}`,
      baseDn: "dc=x",
      userAttribute: "uid",
      bindDn: "cn=x",
      bindPassword: "y",
      publishAttribute: "p",
      authorize: true,
    });
    const { one, two, may } = await pairOf("ldap", options(0), options(1));
    const client = testClient({ username: "ada" });
    await expect(may(one, client, "a")).rejects.toThrow();
    expect(connections[0]).toBeGreaterThan(0);
    expect(connections[1]).toBe(0);
    await expect(may(two, client, "a")).rejects.toThrow();
    expect(connections[1]).toBeGreaterThan(0);
  },

  sql: async (folder) => {
    const urls = ["a", "b"].map((name) => `sqlite:///${join(folder, name)}.db`);
    for (const [index, url] of urls.entries()) {
      const users = await SqlUsers.open(url, { create: true });
      await users.createTables();
      await users.addUser("ada", `secret ${index}`);
      await users.addTopic("ada", "publish", `t/${index}`);
      await users.close();
    }
    const options = (index: number) => ({ connection: urls[index], authorize: true });
    const { one, two, enter, may } = await pairOf("sql", options(0), options(1));
    const client = testClient({ username: "ada" });
    for (let time = 0; time < 2; time++) {
      expect([await enter(one, client, "secret 0"), await enter(two, client, "secret 0")]).toEqual([true, false]);
    }
    expect([await may(one, client, "t/0"), await may(two, client, "t/0")]).toEqual([true, false]);
  },

  x509: async () => {
    const { one, two } = await pairOf("x509", { identity: "common-name" }, { identity: "subject" });
    const certificate = {
      subject: "O=o\nCN=c",
      commonName: "c",
      subjectAltNames: [],
      fingerprint256: "",
      serialNumber: "",
    };
    const client = testClient({ certificate });
    const attempt = { signal: new AbortController().signal, wait: () => () => {} };
    const names = [one, two].map(
      (hooks) => (hooks.authenticate?.(client, undefined, attempt) as Identity | undefined)?.username,
    );
    expect(names).toEqual(["c", "O=o,CN=c"]);
  },

  scram: async (folder) => {
    const files = ["a", "b"].map((name) => join(folder, name));
    for (const file of files) await addScramUser(file, "ada", "x");
    const { one, two } = await pairOf("scram", { file: files[0] }, { file: files[1] });
    const salts = [one, two].map((hooks) => {
      const exchange = hooks.authenticationMethods?.["SCRAM-SHA-256"]?.(testClient());
      const step = exchange?.next(bytes("n,,n=ada,r=abc")) as { readonly data: Uint8Array };
      return /s=([^,]+)/.exec(new TextDecoder().decode(step.data))?.[1];
    });
    expect(salts[0]).not.toBe(salts[1]);
  },

  token: async (folder) => {
    const files = ["a", "b"].map((name) => join(folder, name));
    const tokens: string[] = [];
    for (const [index, file] of files.entries()) {
      tokens.push((await createToken(file, { user: "ada", publish: [`t/${index}`] })).token);
    }
    const { one, two, enter, may } = await pairOf("token", { file: files[0] }, { file: files[1] });
    const client = testClient({ username: "ada" });
    expect([await enter(one, client, tokens[0]), await enter(two, client, tokens[0])]).toEqual([true, false]);
    expect([await may(one, client, "t/0"), await may(two, client, "t/0")]).toEqual([true, undefined]);
    expect(await enter(two, client, tokens[1])).toBe(true);
    expect([await may(one, client, "t/1"), await may(two, client, "t/1")]).toEqual([false, true]);
  },

  guard: async () => {
    const { one, two } = await pairOf("guard", { banAddressAfter: 2 }, { banAddressAfter: 2 });
    const client = testClient();
    const connect = (hooks: Hooks) => hooks.connect?.(client, { type: "connect", username: undefined } as never);
    for (const hooks of [one, two]) hooks.refused?.(client, { reasonCode: 0x87 });
    expect([connect(one), connect(two)]).toEqual([undefined, undefined]);
    one.refused?.(client, { reasonCode: 0x87 });
    expect(connect(one)).toMatchObject({ reasonCode: 0x8a });
    expect(connect(two)).toBeUndefined();
  },

  shadows: async (folder) => {
    const options = (name: string) => ({ connection: `sqlite:///${join(folder, name)}.db` });
    const { host, one, two } = await pairOf("shadows", options("a"), options("b"));
    const answers = async (hooks: Hooks, what: string, payload: string): Promise<unknown> => {
      const before = host.published.length;
      hooks.published?.(testClient(), message(`$shadow/dev/main/${what}`, payload));
      await expect.poll(() => host.published.length).toBeGreaterThan(before);
      return host.published[before]?.topic;
    };
    expect(await answers(one, "update", '{"state":{"desired":{"a":1}}}')).toBe("$shadow/dev/main/update/accepted");
    expect(await answers(two, "get", "")).toBe("$shadow/dev/main/get/rejected");
  },

  "event-log": async () => {
    const { host, one, two } = await pairOf("event-log", {}, {});
    one.connected?.(testClient());
    two.connected?.(testClient());
    expect(host.logs).toMatchObject([{ fields: { plugin: "one" } }, { fields: { plugin: "two" } }]);
  },

  "packet-log": async () => {
    const { host, one, two } = await pairOf("packet-log", { pings: true }, { pings: false });
    for (const hooks of [one, two]) hooks.packetReceived?.(testClient(), { type: "pingreq" });
    expect(host.logs).toMatchObject([{ fields: { plugin: "one" } }]);
  },
};

/** Files of a folder that are open, and sockets. */
function held(folder: string): unknown {
  const fds = process.platform === "linux" ? readdirSync("/proc/self/fd") : [];
  const files = fds.flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  const sockets = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap");
  return { files: files.filter((file) => file.startsWith(folder)), sockets: sockets.length };
}

test.each(Object.entries(APART))("%s: two instances share nothing", async (_name, scenario) => {
  const folder = await temporaryFolder();
  const before = held(folder);
  // Checked when the pair has been closed: what is registered first runs last.
  onTestFinished(async () => {
    await expect.poll(() => held(folder)).toEqual(before);
  });
  await scenario(folder);
});

test("all of them twice start in one configuration", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "users");
  await addUser(file, "ada", "x", cheap);
  await addScramUser(join(folder, "scram"), "ada", "x");
  await writeFile(join(folder, "tokens"), "");
  const needed: Partial<Record<BuiltInPlugin, string>> = {
    "password-file": `file: ${file}`,
    acl: "publish: { ada: [a] }",
    jwt: `secret_key: "${SECRET}", algorithms: [HS256]`,
    http: "host: 127.0.0.1, port: 1",
    ldap: "server: 'ldap://127.0.0.1:1', base_dn: dc=x, user_attribute: uid, bind_dn: cn=x, bind_password: y",
    sql: `connection: 'sqlite:///${folder}/users.db', sync_schema: true`,
    scram: `file: ${folder}/scram`,
    token: `file: ${folder}/tokens`,
    shadows: `connection: 'sqlite:///${folder}/shadows.db'`,
  };
  const names = Object.keys(BUILT_IN_PLUGINS) as BuiltInPlugin[];
  const entries = names.flatMap((name) =>
    ["one", "two"].map((which) => `  ${name}-${which}: { use: ${name}, ${needed[name] ?? ""} }\n`),
  );
  const { config } = parseConfig(`plugins:\n${entries.join("")}`, { style: "native" });
  const members = (which: string) => config.plugins.map(({ name }) => name).filter((name) => name.endsWith(which));
  const broker = createBroker({
    plugins: await loadPlugins(config),
    listeners: { a: { type: "external", plugins: members("one") }, b: { type: "external", plugins: members("two") } },
    sys: { intervalSeconds: 0 },
  });
  await broker.start();
  await broker.shutdown();
  expect(broker.state).toBe("stopped");
});
