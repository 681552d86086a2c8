// The 30 configurations of aMQTT's and hbmqtt's documentation and samples, each with its documented effect.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, loadConfig, type PluginSection, parseConfig, type WrenConfig } from "../src/index.ts";
import { type Client, maySignIn, maySubscribe, rulesOf } from "./access-model.ts";

const folder = new URL("fixtures/", import.meta.url).pathname;
const load = (number: string) => {
  const name = readdirSync(folder).find((file) => file.startsWith(`${number}-`));
  return loadConfig(`${folder}${name}`);
};
const config = (number: string): WrenConfig => load(number).config;
const warnings = (number: string): string =>
  load(number)
    .warnings.map((each) => each.message)
    .join("\n");
const plugin = (from: WrenConfig, use: string): PluginSection | undefined =>
  from.plugins.find((each) => each.use === use);
const addresses = (from: WrenConfig): string[] =>
  from.listeners.map(({ name, type, host, port }) => `${name} ${type} ${host ?? "*"}:${port}`);
const refusal = (number: string): ConfigError => {
  try {
    load(number);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error(`fixture ${number} was accepted`);
};

interface Upstream {
  readonly file: string;
  readonly amqtt: string;
  readonly connack?: Readonly<Record<string, number>>;
  readonly suback?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
const upstream = JSON.parse(readFileSync(`${folder}upstream.json`, "utf8")) as Upstream[];

function clientOf(label: string): Client {
  if (label === "anonymous") return {};
  const [user = "", password] = label.replace(", no password", "").split("/");
  return password === undefined ? { user } : { user, password };
}

describe("as aMQTT itself answered", () => {
  // 13: its list form breaks inside the original; 20, 21: plugins in Python.
  const differs = ["13-docs-acl-legacy-list-form.yaml", "20-", "21-"];
  const same = upstream.filter(
    ({ file, connack }) => Object.keys(connack ?? {}).length > 0 && !differs.some((start) => file.startsWith(start)),
  );
  test("there is something to compare", () => expect(same.length).toBeGreaterThan(15));
  test.each(same)("$file: who gets in, and to which topics", ({ file, connack = {}, suback = {} }) => {
    const loaded = loadConfig(folder + file).config;
    const got = Object.fromEntries(
      Object.keys(connack).map((label) => [label, maySignIn(loaded, clientOf(label)) ? 0 : 5]),
    );
    expect(got).toEqual(connack);
    for (const [label, answers] of Object.entries(suback)) {
      const codes = Object.keys(answers).map((filter) => [
        filter,
        maySubscribe(loaded, clientOf(label), filter) ? "0x00" : "0x80",
      ]);
      expect(Object.fromEntries(codes), label).toEqual(answers);
    }
  });
});

describe("documented effects", () => {
  test("01 default broker: anonymous, $SYS every 20 s, loggers, plugins without options", () => {
    const loaded = config("01");
    expect(addresses(loaded)).toEqual(["default tcp 0.0.0.0:1883"]);
    expect(loaded.sys).toEqual({ enabled: true, intervalSeconds: 20, names: "amqtt" });
    expect(loaded.plugins.map((each) => each.use)).toEqual(["event-log", "packet-log", "anonymous"]);
  });
  test("02 timeout_disconnect_delay 0", () => expect(config("02").keepAlive.extraDelaySeconds).toBe(0));
  test("03 TCP and WebSocket, no topic filtering, $SYS every 2 s", () => {
    const loaded = config("03");
    expect(addresses(loaded)).toEqual(["default tcp 0.0.0.0:1883", "std-ws ws 0.0.0.0:8080"]);
    expect(loaded.sys.intervalSeconds).toBe(2);
    expect(plugin(loaded, "acl") ?? plugin(loaded, "taboo")).toBeUndefined();
  });
  test("04 old sections, $SYS every 20 s", () => expect(config("04").sys.intervalSeconds).toBe(20));
  test("05 tcp, ws, tls and wss", () => {
    const loaded = config("05");
    expect(addresses(loaded)).toEqual([
      "default tcp 0.0.0.0:1883",
      "std-ws ws 0.0.0.0:8080",
      "tls-mqtt tls 0.0.0.0:8883",
      "tls-ws wss 0.0.0.0:8443",
    ]);
    expect(loaded.listeners[3]?.tls?.certificateFile).toBe("/etc/letsencrypt/live/test.amqtt.io/fullchain.pem");
    expect(loaded.listeners[3]?.tls?.requestCertificate).toBe(false);
  });
  test("06 sessions are dropped after 60 s", () =>
    expect(config("06").session).toEqual({ defaultExpiry: 60, maximumExpiry: 60 }));
  test("07 the full example: hyphens, a template, TLS, an ACL, a misprinted module", () => {
    const loaded = config("07");
    expect(loaded.listeners.map(({ name, type, port, maxConnections }) => [name, type, port, maxConnections])).toEqual([
      ["my-tcp-1", "tcp", 1883, 500],
      ["my-tcp-2", "tcp", 1884, 1000],
      ["my-tcp-ssl-1", "tls", 8885, 500],
      ["my-ws-1", "ws", 8080, 500],
      ["my-wss-1", "wss", 9003, 500],
    ]);
    expect(loaded.listeners[2]?.tls).toMatchObject({
      caFile: "/some/cafile",
      caPath: `${folder}certificate data`,
      requestCertificate: true,
      requireCertificate: false,
    });
    expect(loaded.keepAlive.extraDelaySeconds).toBe(2);
    expect(plugin(loaded, "password-file")?.options).toMatchObject({ file: "/some/password-file" });
    expect(rulesOf(loaded.plugins)).toEqual({
      subscribe: {
        username1: ["repositories/+/master", "calendar/#", "data/memes"],
        username2: ["calendar/2025/#", "data/memes"],
        anonymous: ["calendar/2025/#"],
      },
    });
    expect(maySubscribe(loaded, {}, "calendar/2025/x")).toBe(true);
    expect(maySubscribe(loaded, {}, "data/memes")).toBe(false);
    expect(warnings("07")).toContain("read as amqtt.plugins.authentication.FileAuthPlugin");
  });
  test("07 as it is printed, with capath twice: the second one is cadata", () => {
    const text = readFileSync(`${folder}07-docs-full-example.yaml`, "utf8");
    expect(text).toContain("    capath: certificate data\n");
    const doubled = text.replace("    capath: cert", "    capath: /some/folder\n    capath: cert");
    const { config: loaded, warnings: said } = parse(doubled);
    expect(loaded.listeners[2]?.tls).toMatchObject({ caPath: "/some/folder", caData: "certificate data" });
    expect(said.map((each) => each.message).join()).toContain("given twice");
  });
  test("08 anonymous by the old section", () =>
    expect(plugin(config("08"), "anonymous")?.options).toEqual({ allow: true, namedUsers: "allow" }));
  test("09 only users of the password file, found beside the configuration", () => {
    const loaded = config("09");
    expect(plugin(loaded, "password-file")?.options).toMatchObject({ file: `${folder}passwd` });
    expect(plugin(loaded, "anonymous")).toBeUndefined();
  });
  test.each(["10", "11"])("%s taboo topics for all but admin", (number) =>
    expect(plugin(config(number), "taboo")?.options).toEqual({
      topics: ["prohibited", "top-secret", "data/classified"],
      exempt: ["admin"],
    }),
  );
  test("12 ACLs as lists are what they are as mappings", () =>
    expect(rulesOf(config("12").plugins)).toEqual({
      subscribe: { username: ["list", "of"] },
      publish: { username: ["list", "of"] },
    }));
  test("13 the same in the old section", () => {
    expect(rulesOf(config("13").plugins)).toEqual({
      subscribe: { username: ["list"] },
      publish: { username: ["list"] },
    });
    expect(maySubscribe(config("13"), { user: "username" }, "list")).toBe(true);
    expect(maySubscribe(config("13"), { user: "admin" }, "list")).toBe(false);
  });
  test.each([
    ["14", "module.submodule.file.OneClassName", 7],
    ["16", "amqtt.contrib.django.plugins.DjangoAuthPlugin", 7],
    ["20", "samples.broker_custom_plugin.RemoteInfoPlugin", 13],
    ["21", "samples.broker_dollar_topics.ClientDollarBroadcast", 13],
  ])("%s the Python plugin is refused by its name", (number, name, line) => {
    const error = refusal(number);
    expect(error.message).toContain(name);
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.diagnostics[0]?.line).toBe(line);
  });
  test("14, 16 every such plugin is named, not only the first", () => {
    expect(refusal("14").diagnostics).toHaveLength(2);
    expect(
      refusal("16")
        .diagnostics.map((each) => each.message)
        .join(),
    ).toContain("UserTopicACLPlugin");
  });
  test("15 certificates without a default listener", () => {
    const loaded = config("15");
    expect(addresses(loaded)).toEqual(["ssl-mqtt tls 127.0.0.1:8883"]);
    expect(loaded.listeners[0]?.tls).toMatchObject({ caFile: `${folder}ca.crt`, requestCertificate: true });
    expect(plugin(loaded, "x509")?.options).toEqual({
      identity: "spiffe",
      uriDomain: "my.domain.name",
      required: true,
    });
  });
  test.each(["17", "18", "19"])("%s two listeners, one with at most 10 connections, $SYS every 10 s", (number) => {
    const loaded = config(number);
    expect(addresses(loaded)).toEqual(["default tcp 0.0.0.0:1883", "ws-mqtt ws 127.0.0.1:8080"]);
    expect(loaded.listeners.map((each) => each.maxConnections)).toEqual([0, 10]);
    expect(loaded.sys.intervalSeconds).toBe(10);
  });
  test("18 publishing is free without publish_acl", () =>
    expect(plugin(config("18"), "acl")?.options["publish"]).toBeUndefined());
  test("22 an external listener opens nothing", () => {
    expect(config("22").listeners).toMatchObject([{ name: "default", type: "external" }]);
    expect(config("22").listeners[0]).not.toHaveProperty("port");
  });
  test("23 without plugins: the default ones", () => {
    const loaded = config("23");
    expect(loaded.listeners.map((each) => each.type)).toEqual(["tcp", "external"]);
    expect(loaded.plugins.map((each) => each.use)).toEqual(["event-log", "packet-log", "anonymous"]);
    expect(loaded.sys).toMatchObject({ enabled: true, intervalSeconds: 20 });
  });
  test("82 hbmqtt's own defaults: 2 s more patience, anonymous only", () => {
    const loaded = config("82");
    expect(load("82").style).toBe("hbmqtt");
    expect(loaded.keepAlive.extraDelaySeconds).toBe(2);
    expect([maySignIn(loaded, {}), maySignIn(loaded, { user: "someone" })]).toEqual([true, false]);
  });
  test.each(["83", "84", "85", "86"])("%s hbmqtt samples: the old keys, max_connections with underscore", (number) => {
    const loaded = config(number);
    expect(loaded.sys.intervalSeconds).toBe(10);
    expect(plugin(loaded, "password-file")?.options).toMatchObject({ file: `${folder}passwd` });
  });
  test("87 a top-level list of entry-point names", () => {
    const loaded = config("87");
    expect(load("87").style).toBe("hbmqtt");
    expect([maySignIn(loaded, {}), maySignIn(loaded, { user: "someone" })]).toEqual([true, false]);
    expect(loaded.sys.intervalSeconds).toBe(20);
  });
  test("88 auth.anonymous means auth_anonymous; default is only a template", () => {
    const loaded = config("88");
    expect(addresses(loaded)).toEqual([
      "my-tcp-1 tcp 127.0.0.1:1883",
      "my-tcp-2 tcp 1.2.3.4:1884",
      "my-tcp-ssl-1 tls 127.0.0.1:8885",
      "my-ws-1 ws 0.0.0.0:8080",
    ]);
    expect(loaded.listeners.map((each) => each.maxConnections)).toEqual([50_000, 1000, 50_000, 50_000]);
    expect(maySignIn(loaded, {})).toBe(true);
    expect(maySubscribe(loaded, {}, "calendar/x")).toBe(false);
    expect(maySubscribe(loaded, { user: "username1" }, "calendar/x")).toBe(true);
    expect(warnings("88")).toContain('"auth.anonymous" is read as auth_anonymous');
  });
  test("every fixture is tested as amqtt or hbmqtt style", () => {
    const accepted = readdirSync(folder).filter((file) => /^\d\d-.*\.yaml$/.test(file));
    expect(accepted).toHaveLength(30);
    for (const file of accepted) {
      if (/^(14|16|20|21)-/.test(file)) continue;
      expect(loadConfig(folder + file).style, file).not.toBe("native");
    }
  });
});

function parse(text: string) {
  return parseConfig(text, { file: `${folder}07-docs-full-example.yaml` });
}
