// The old style beyond the fixtures: spellings, inheritance, forms of bind, old sections, refused names.
import { describe, expect, test } from "vitest";
import {
  ConfigError,
  detectStyle,
  formatDiagnostic,
  fromObject,
  inspectText,
  type PluginSection,
  parseConfig,
  type Style,
} from "../src/index.ts";
import { maySignIn, maySubscribe, rulesOf } from "./access-model.ts";

const parse = (text: string, style: Style = "amqtt") => parseConfig(text, { style });
const config = (text: string, style: Style = "amqtt") => parse(text, style).config;
const said = (text: string, style: Style = "amqtt"): string =>
  parse(text, style)
    .warnings.map((each) => each.message)
    .join("\n");
const listener = (text: string) => config(`listeners:\n  default: ${text}\n`).listeners[0];
const use = (plugins: readonly PluginSection[], name: string) => plugins.find((each) => each.use === name)?.options;
const uses = (plugins: readonly PluginSection[]): string[] => plugins.map((each) => each.use);
function mistake(text: string): ConfigError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error(`accepted:\n${text}`);
}

describe("spelling", () => {
  const file = (key: (name: string) => string): string => `
listeners:
  default: { bind: 127.0.0.1, ${key("max_connections")}: 5 }
${key("timeout_disconnect_delay")}: 3
${key("session_expiry_interval")}: 90
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin: { ${key("allow_anonymous")}: true }
  amqtt.plugins.authentication.FileAuthPlugin: { ${key("password_file")}: /pw }
  amqtt.plugins.sys.broker.BrokerSysPlugin: { ${key("sys_interval")}: 7 }
  amqtt.plugins.topic_checking.TopicAccessControlListPlugin:
    ${key("subscribe_acl")}: { a: [s] }
    ${key("publish_acl")}: { a: [p] }
    ${key("receive_acl")}: { a: [r] }
`;
  test("hyphens and underscores mean the same at every level", () => {
    const underscored = config(file((name) => name));
    expect(config(file((name) => name.replaceAll("_", "-")))).toEqual(underscored);
    expect(underscored.listeners[0]?.maxConnections).toBe(5);
    expect(underscored.keepAlive.extraDelaySeconds).toBe(3);
    expect(underscored.session).toEqual({ defaultExpiry: 90, maximumExpiry: 90 });
    expect(underscored.sys.intervalSeconds).toBe(7);
    expect(rulesOf(underscored.plugins)).toEqual({
      subscribe: { a: ["s"] },
      publish: { a: ["p"] },
      receive: { a: ["r"] },
    });
  });
  test("old sections too", () => {
    const text = (dash: string) =>
      `auth: { plugins: [auth_file], password${dash}file: /pw }\ntopic${dash}check: { enabled: yes, plugins: [topic_acl], publish${dash}acl: { a: [p] } }\n`;
    expect(config(text("_"))).toEqual(config(text("-")));
    expect(rulesOf(config(text("-")).plugins)).toEqual({ publish: { a: ["p"] } });
  });
  test("words of YAML 1.1 are booleans, users called on or 007 are not", () => {
    const tls = listener("{ ssl: on, certfile: /c, keyfile: /k }");
    expect(tls?.type).toBe("tls");
    expect(listener("{ ssl: no }")?.type).toBe("tcp");
    const { plugins } = config(
      "plugins: { amqtt.plugins.topic_checking.TopicAccessControlListPlugin: { acl: { on: [yes, 1], 007: [a] } } }",
    );
    expect(rulesOf(plugins)).toEqual({ subscribe: { "007": ["a"], on: ["yes", "1"] } });
  });
  test.each(["on", "ON", "On", "true", "True", "yes", "Yes"])(
    "%s in quotes is true wherever a flag is expected",
    (word) => {
      for (const quote of ["'", '"']) {
        const flag = `${quote}${word}${quote}`;
        expect(listener(`{ ssl: ${flag}, certfile: /c, keyfile: /k }`)?.type).toBe("tls");
        expect(maySignIn(config(`auth: { plugins: [auth_anonymous], allow-anonymous: ${flag} }`), {})).toBe(true);
        expect(
          rulesOf(config(`topic-check: { enabled: ${flag}, plugins: [topic_acl], acl: { a: [s] } }`).plugins),
        ).toEqual({
          subscribe: { a: ["s"] },
        });
        const http = `amqtt.contrib.http.UserAuthHttpPlugin: { host: h, port: 1, with_tls: ${flag} }`;
        const sql = `amqtt.contrib.auth_db.UserAuthDBPlugin: { connection: 'sqlite:///x', sync_schema: ${flag} }`;
        const { plugins } = config(`plugins:\n  ${http}\n  ${sql}\n`);
        expect(use(plugins, "http")).toMatchObject({ withTls: true });
        expect(use(plugins, "sql")).toMatchObject({ syncSchema: true });
      }
    },
  );
  test.each(["off", "OFF", "Off", "false", "no", "NO"])("%s in quotes is false wherever a flag is expected", (word) => {
    expect(listener(`{ ssl: '${word}' }`)?.type).toBe("tcp");
    expect(maySignIn(config(`auth: { plugins: [auth_anonymous], allow-anonymous: '${word}' }`), {})).toBe(false);
    const anonymous = `amqtt.plugins.authentication.AnonymousAuthPlugin: { allow_anonymous: '${word}' }`;
    expect(maySignIn(config(`plugins:\n  ${anonymous}\n`), {})).toBe(false);
    const http = `amqtt.contrib.http.UserAuthHttpPlugin: { host: h, port: 1, with_tls: '${word}' }`;
    expect(use(config(`plugins:\n  ${http}\n`).plugins, "http")).toMatchObject({ withTls: false });
    const object = { listeners: { default: { ssl: word } } };
    expect(fromObject(object).config.listeners[0]?.type).toBe("tcp");
  });
  test("a key twice is a warning, the last one counts", () => {
    const text = "listeners:\n  default:\n    max-connections: 1\n    max_connections: 2\n";
    expect(config(text).listeners[0]?.maxConnections).toBe(2);
    expect(said(text)).toContain("given twice (first in line 3): this one counts");
  });
  test.each([
    ["a listener", "listeners:\n  default: { bind: '1' }\n  default: { bind: '2' }\n", 3, "listeners.default"],
    [
      "a key of a section",
      "listeners: { default: { bind: '1' } }\nauth:\n  plugins: []\n  plugins: [auth_anonymous]\n",
      4,
      "auth.plugins",
    ],
    ["a section", "sys_interval: 1\nsys_interval: 2\n", 2, "sys_interval"],
    ["a user of an ACL", "topic-check:\n  enabled: on\n  acl:\n    a: [x]\n    a: [y]\n", 5, "topic-check.acl.a"],
    ["a plugin", "plugins:\n  a.b.C:\n  a.b.C:\n", 3, "plugins.a.b.C"],
  ])("%s that is given twice is said, and the last one counts", (_what, text, line, key) => {
    const { warnings } = inspectText(text);
    expect(warnings.map(formatDiagnostic)).toContain(
      `<text>:${line}:${warnings.find((one) => one.line === line)?.column}: ${key}: given twice (first in line ${line - 1}): this one counts`,
    );
  });
  test("the last of two listeners of one name is the one that listens", () => {
    expect(
      config("listeners:\n  default: { bind: '1', ssl: off }\n  default: { bind: '2' }\n").listeners,
    ).toMatchObject([{ name: "default", port: 2 }]);
  });
  test("anchors and merges of YAML", () => {
    const text =
      "listeners:\n  default: &d { max-connections: 3, bind: '1' }\n  other: { <<: *d, bind: '2' }\n  third: { bind: '3', max-connections: 4 }\n";
    expect(config(text).listeners.map((each) => [each.port, each.maxConnections])).toEqual([
      [1, 3],
      [2, 3],
      [3, 4],
    ]);
  });
});

describe("listeners", () => {
  test.each([
    ["''", undefined, 1883],
    ["1884", undefined, 1884],
    ["':1884'", undefined, 1884],
    ["localhost", "localhost", 1883],
    ["127.0.0.1:1", "127.0.0.1", 1],
    ["'[::]:1883'", "::", 1883],
  ])("bind: %s", (bind, host, port) => {
    const found = listener(`{ bind: ${bind} }`);
    expect([found?.host, found?.port]).toEqual([host, port]);
  });
  test("without listeners, and without bind: 0.0.0.0:1883", () => {
    expect(config("sys_interval: 1").listeners).toMatchObject([{ name: "default", host: "0.0.0.0", port: 1883 }]);
    expect(listener("{ type: tcp }")).toMatchObject({ host: "0.0.0.0", port: 1883 });
  });
  test("WebSockets without a port take 8080, not the port of MQTT over TLS", () => {
    const text = "listeners: { default: { type: ws, bind: localhost } }";
    expect(config(text).listeners[0]).toMatchObject({ type: "ws", port: 8080 });
    expect(said(text)).toContain("8883");
  });
  test("others inherit what they do not say, also from a default with an address", () => {
    const text =
      "listeners:\n  default: { bind: '1', ssl: on, certfile: /c, keyfile: /k, max-connections: 4 }\n  plain: { bind: '2', ssl: off, max-connections: 0 }\n  other: { bind: '3', type: ws }\n";
    expect(config(text).listeners.map(({ name, type, maxConnections }) => [name, type, maxConnections])).toEqual([
      ["default", "tls", 4],
      ["plain", "tcp", 0],
      ["other", "wss", 4],
    ]);
  });
  test("an inherited address is no address of its own", () => {
    const error = mistake("listeners:\n  default: { bind: '1' }\n  other: { max-connections: 1 }\n");
    expect(error.message).toMatch(/^<text>:3:\d+: listeners.other.*:1 is already used by listener default/);
  });
  test("-1 and 0 both mean no limit", () => {
    expect(listener("{ max_connections: -1 }")?.maxConnections).toBe(0);
    expect(mistake("listeners: { default: { max_connections: -2 } }").message).toContain("or unlimited, got number -2");
  });
  test("without keyfile the key is in certfile, and it is said", () => {
    const text = "listeners:\n  default: { ssl: on, certfile: /both }\n";
    expect(config(text).listeners[0]?.tls).toMatchObject({ certificateFile: "/both", keyFile: "/both" });
    expect(said(text)).toContain("there is no keyfile: the key is read from this file too");
    const template = "listeners:\n  default: { certfile: /both }\n  tls: { bind: '1', ssl: on }\n";
    expect(config(template).listeners[0]?.tls).toMatchObject({ certificateFile: "/both", keyFile: "/both" });
  });
  test.each([
    ["{ ssl: on, keyfile: /k }", /default.certfile: missing: ssl needs a certificate and its key/],
    ["{ ssl: maybe }", /default.ssl: expected true or false, got "maybe"/],
    ["{ ssl: '' }", /default.ssl: expected true or false, got ""/],
    ["{ type: tsp }", /expected tcp, ws or external, got "tsp" \(did you mean "tcp"\?\)/],
    ["{ bind: 'a:b' }", /default.bind: expected an address/],
    ["{ max_conections: 1 }", /unknown key \(did you mean "max_connections"\?\)/],
    ["7", /listeners.default: expected a mapping, got number 7/],
  ])("refused: %s", (text, message) => expect(mistake(`listeners:\n  default: ${text}\n`).message).toMatch(message));
});

describe("allow-anonymous: false", () => {
  const text = "auth: { plugins: [auth_anonymous], allow-anonymous: false }\n";
  test("lets nobody choose a name without a password, and says so", () => {
    const { config: strict, warnings } = parse(text);
    expect([maySignIn(strict, {}), maySignIn(strict, { user: "someone" })]).toEqual([false, false]);
    expect(warnings.find((each) => each.key === "auth.allow-anonymous")?.message).toContain("named_users: allow");
  });
  test("an explicit option brings the old way back", () => {
    const old = text.replace("false", "false, named-users: allow");
    expect(maySignIn(config(old), { user: "someone" })).toBe(true);
    expect(maySignIn(config(old), {})).toBe(false);
    expect(said(old)).not.toContain("named_users");
  });
  test("with a password file the right password counts", () => {
    const both = config(
      text.replace("[auth_anonymous]", "[auth_anonymous, auth_file]").replace("}", ", password-file: p }"),
    );
    expect(maySignIn(both, { user: "test", password: "test" })).toBe(true);
    expect(maySignIn(both, { user: "test", password: "x" })).toBe(false);
    expect(maySignIn(both, { user: "someone" })).toBe(false);
  });
});

describe("old sections", () => {
  test("plugins omitted: all; plugins empty: nobody gets in", () => {
    expect(uses(config("auth: { password-file: p }").plugins)).toContain("password-file");
    const { config: closed, warnings } = parse("auth: { plugins: [] }");
    expect(maySignIn(closed, {})).toBe(false);
    expect(warnings[0]?.message).toContain("every client will be refused");
  });
  test("auth_file alone needs its file", () =>
    expect(mistake("auth:\n  plugins: [auth_file]\n").message).toBe(
      "<text>:2:3: auth.password-file: missing: auth_file needs a password file",
    ));
  test("acl and subscribe-acl exclude each other", () =>
    expect(
      mistake("topic-check: { enabled: on, acl: { publish: {} }, subscribe-acl: { publish: {} } }").message,
    ).toContain("give only one"));
  test("topic_acl without rules allows everything, and that is said", () => {
    const text = "topic-check: { enabled: on, plugins: [topic_acl] }";
    expect(uses(config(text).plugins)).not.toContain("acl");
    expect(said(text)).toContain("no rules");
  });
  test("rules without `enabled` are applied, and that is said", () => {
    const text = "topic-check: { plugins: [topic_taboo] }";
    expect(maySubscribe(config(text), {}, "prohibited")).toBe(false);
    expect(said(text)).toContain("the original would not apply them");
    expect(uses(config("topic-check: { enabled: off, plugins: [topic_taboo] }").plugins)).not.toContain("taboo");
  });
  test("admin is exempt from the taboo, not from an ACL", () => {
    const both = config("topic-check: { enabled: on, acl: { user: ['#'] } }");
    expect(uses(both.plugins)).toEqual(expect.arrayContaining(["taboo", "acl"]));
    expect(maySubscribe(both, { user: "admin" }, "x")).toBe(false);
  });
  test("are ignored, with a warning, beside `plugins`", () => {
    const text = "auth: {}\nplugins: [amqtt.plugins.authentication.AnonymousAuthPlugin]\n";
    expect(uses(config(text).plugins)).toEqual(["anonymous"]);
    expect(said(text)).toContain("ignored, as in the original");
  });
  test("an unknown entry point is refused by its name", () =>
    expect(mistake("auth: { plugins: [auth_redis] }").message).toContain("the Python plugin auth_redis"));
});

describe("Python names", () => {
  const plugins = (text: string) => config(`plugins:\n${text}`).plugins;
  test("users and topics by http, jwt, ldap and sql become two instances of one plugin", () => {
    const found = plugins(
      `  amqtt.contrib.http.UserAuthHttpPlugin: { host: h, port: 80, timeout: 3 }
  amqtt.contrib.http.TopicAuthHttpPlugin: { host: h, port: 80 }
  amqtt.contrib.jwt.UserAuthJwtPlugin: { secret_key: s, user_claim: u, algorithm: HS512 }
  amqtt.contrib.ldap.UserAuthLdapPlugin: { server: ldap://l, base_dn: b, user_attribute: uid, bind_dn: d, bind_password: 1 }
  amqtt.contrib.auth_db.UserAuthDBPlugin: { connection: "sqlite:///a.db" }
  amqtt.contrib.auth_db.TopicAuthDBPlugin: { connection: "sqlite:///a.db" }
`,
    );
    expect(found.map((each) => [each.name, each.use, each.options["authenticate"], each.options["authorize"]])).toEqual(
      [
        ["http-users", "http", true, false],
        ["http-topics", "http", false, true],
        ["jwt-users", "jwt", true, false],
        ["ldap-users", "ldap", true, false],
        ["sql-users", "sql", true, false],
        ["sql-topics", "sql", false, true],
      ],
    );
    expect(found[0]?.options["timeout"]).toBe(3000);
    expect(found[2]?.options).toMatchObject({ algorithms: ["HS512"], userClaim: "u" });
    expect(found[3]?.options["bindPassword"]).toBe("1");
  });
  test("shadows and their rights", () =>
    expect(
      plugins(
        "  amqtt.contrib.shadows.ShadowPlugin: { connection: x }\n  amqtt.contrib.shadows.ShadowTopicAuthPlugin: { superusers: [root] }\n",
      ).map(({ name, options }) => [name, options["serve"], options["authorize"], options["superusers"]]),
    ).toEqual([
      ["shadows", true, false, []],
      ["shadow-topics", false, true, ["root"]],
    ]));
  test("sessions in SQLite become the store; in a server they are refused", () => {
    const text = (url: string, more = "") =>
      `plugins: { amqtt.contrib.persistence.SessionDBPlugin: { connection: "${url}"${more} } }`;
    const kept = { durability: "batch", path: "amqtt.db.wrenmq" };
    const url = "sqlite+aiosqlite:///amqtt.db";
    // true is the default of the original
    expect(config(text(url)).store).toEqual({ ...kept, clearOnShutdown: true });
    expect(config(text(url, ", clear_on_shutdown: true")).store).toEqual({ ...kept, clearOnShutdown: true });
    expect(config(text(url, ", clear-on-shutdown: false")).store).toEqual(kept);
    expect(said(text(url))).toContain("until the broker is shut down (clear_on_shutdown: false keeps them)");
    expect(said(text(url, ", clear_on_shutdown: false"))).not.toContain("until");
    expect(said(text("sqlite:///amqtt.db"))).toContain("the old database is not read");
    expect(mistake(text("mysql://u:p@h/d")).message).toContain("cannot be kept in a database server");
  });
  test("$SYS: 0 switches it off, and so does leaving the plugin out", () => {
    expect(config("plugins: { amqtt.plugins.sys.broker.BrokerSysPlugin: { sys_interval: 0 } }").sys.enabled).toBe(
      false,
    );
    expect(config("plugins: []").sys.enabled).toBe(false);
  });
  test("options are checked", () =>
    expect(mistake("plugins:\n  amqtt.plugins.authentication.FileAuthPlugin: { pasword-file: x }\n").message).toMatch(
      /^<text>:2:\d+: plugins.amqtt.*pasword-file: unknown key \(did you mean "password_file"\?\), expected password_file$/,
    ));
  test("options at the height of their plugin are found out", () =>
    expect(
      mistake("plugins:\n  - amqtt.plugins.authentication.AnonymousAuthPlugin:\n    allow_anonymous: true\n").message,
    ).toMatch(/^<text>:3:5: .*are options indented below their plugin/));
  test("who has a Python plugin of his own is told where to read how to write it anew", () => {
    for (const name of ["amqtt.contrib.own.ShopPlugin", "amqtt.contrib.django.DjangoAuthPlugin", "shop.Plugin"]) {
      const { message } = mistake(`plugins: [${name}]`);
      expect(message).toMatch(/has no counterpart.*"Writing a plugin" in docs\/plugins\.md.*\.\/plugin\.js/);
      expect(message).not.toContain("\n");
    }
    expect(mistake("auth: { plugins: [auth_shop] }").message).toMatch(/has no counterpart.*docs\/from-amqtt\.md/);
  });
  test("a near miss is helped, and a module of one's own is welcome", () => {
    expect(mistake("plugins: [amqtt.plugins.authentication.FileAuthPlugn]").message).toContain("FileAuthPlugin");
    const [own] = plugins("  ./mine.js: { some-key: 1 }\n");
    expect(own).toEqual({ name: "./mine.js", use: "./mine.js", origin: "path", options: { "some-key": 1 } });
  });
});

describe("finding the style out", () => {
  test.each<[Style, string]>([
    ["native", ""],
    ["native", "wrenmq: 1\nlisteners: { default: { ssl: true } }"],
    ["native", "listeners: { a: { bind: '1' } }"],
    ["native", "listeners: { default: { type: tls } }"],
    ["native", "listeners: { default: { bind: '1' } }\nplugins: { anonymous: {} }"],
    ["native", "limits: {}"],
    ["amqtt", "listeners: { default: { bind: '1' } }"],
    ["amqtt", "plugins: { a.b.C: null }"],
    ["amqtt", "plugins: []"],
    ["amqtt", "session_expiry_interval: 1"],
    ["hbmqtt", "plugins: [auth_file]"],
    ["hbmqtt", "auth: { allow-anonymous: true }"],
  ])("%s: %s", (style, text) => expect(detectStyle(text)).toBe(style));
  test("keys of another style in a native file are unknown keys, not ignored", () =>
    expect(() => parseConfig("wrenmq: 1\nsys_interval: 1\n")).toThrow("unknown key (did you mean"));
});

describe("a style that is in doubt is said", () => {
  const errors = (text: string): string[] => inspectText(text).errors.map(formatDiagnostic);
  const warned = (text: string): string[] => inspectText(text).warnings.map(({ message }) => message);

  test("one misspelt key does not make a native file the original's", () => {
    const text = "listeners:\n  default:\n    bind: 1883\nplugins:\n  pasword-file:\n    file: users.txt\n";
    expect(detectStyle(text)).toBe("native");
    expect(errors(text)).toEqual([
      '<text>:6:5: plugins.pasword-file: unknown plugin "pasword-file" (did you mean "password-file"?) (read as a file of WrenMQ\'s own form, because "pasword-file" looks like password-file; as a file of aMQTT its first mistake is 5:3: plugins.pasword-file: expected the dotted name of a Python class, got "pasword-file" (are options indented below their plugin?))',
    ]);
  });

  test.each<[Style, string]>([
    ["native", "listeners: { default: { bind: '1' } }\nlimts: { max_inflight: 1 }\n"],
    ["native", "listeners: { default: { bind: '1', proxy_protocl: true } }\n"],
    ["native", "listeners: { default: { bind: '1' } }\nplugins: { anonymos: }\n"],
    ["amqtt", "listeners: { default: { bind: '1' } }\nsession_expiry_intervall: 3\n"],
    ["amqtt", "listeners: { default: { bind: '1', certfil: a } }\n"],
  ])("%s: %s", (style, text) => {
    expect(detectStyle(text)).toBe(style);
    expect(errors(text)[0]).toMatch(/ \(read as a file of (aMQTT|WrenMQ's own form), because ".*" looks like .*; as /);
  });

  test("words of both", () => {
    const text = "listeners: { default: { bind: '1', certfile: c } }\nstore: { path: d }\n";
    expect(errors(text)[0]).toMatch(
      /because it has certfile, a key of aMQTT's, and store, one of WrenMQ's; as a file of aMQTT/,
    );
  });

  test("a file that is good both ways is read as aMQTT's, and that is said", () => {
    expect(warned("listeners: { default: { bind: '1' } }\n")).toContain(
      'read as a file of aMQTT, because it has a listener named default, and nothing that only one of the two has; "wrenmq: 1" at its top says that it is one of WrenMQ\'s own',
    );
    expect(warned("listeners: { default: { bind: '1' } }\nsys_interval: 1\n").join()).not.toContain("read as");
    expect(warned("wrenmq: 1\nlisteners: { default: { bind: '1' } }\n").join()).not.toContain("read as");
  });

  test("a file that is good in one way only is read in that", () => {
    // "wss" is a type that the original has not; a misspelt hint points to it nevertheless.
    const text = "listeners: { default: { bind: '1' } }\nplugins: { ./own.js: , auth_filee: { use: ./x.js } }\n";
    const { style, errors: none, warnings } = inspectText(text, { file: "/d/c.yaml" });
    expect([style, none]).toEqual(["native", []]);
    expect(warnings.map(({ message }) => message).join()).not.toContain("as a file of aMQTT it would");
  });
});

describe("plain objects", () => {
  test("the old structure, as Broker(config) took it", () => {
    const { config: loaded, style } = fromObject({
      listeners: {
        default: { type: "tcp", bind: "0.0.0.0:1883", max_connections: 10 },
        ws: { bind: ":80", type: "ws" },
      },
      sys_interval: 10,
      auth: { "allow-anonymous": true, "password-file": "passwd", plugins: ["auth_file", "auth_anonymous"] },
      "topic-check": { enabled: false },
    });
    expect(style).toBe("amqtt");
    expect(loaded.listeners.map((each) => [each.type, each.port, each.maxConnections])).toEqual([
      ["tcp", 1883, 10],
      ["ws", 80, 10],
    ]);
    expect(use(loaded.plugins, "password-file")).toMatchObject({ file: "passwd" });
  });
  test("the native one, with the same messages but no lines", () => {
    expect(fromObject({ limits: { max_inflight: 3 } }).config.limits.maxInflight).toBe(3);
    expect(() => fromObject({ limits: { max_inflight: "3" } })).toThrow(
      /^limits.max_inflight: expected a whole number from 1 to 65535, got "3"$/,
    );
    expect(() => fromObject([])).toThrow("expected a mapping, got a list");
  });
});
