// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax under test
// describe, migrate, diffConfig, riskWarnings, checkFiles: what `wrenmq config …` and a reload use.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  checkFiles,
  configChanges,
  defaultConfig,
  diffConfig,
  formatDiagnostic,
  inspectText,
  loadConfig,
  migrate,
  parseConfig,
  riskWarnings,
  describe as show,
  type WrenConfig,
} from "../src/index.ts";

const folder = new URL("fixtures/", import.meta.url).pathname;
const usable = readdirSync(folder).filter((file) => /^\d\d-.*\.yaml$/.test(file) && !/^(14|16|20|21)-/.test(file));
const config = (text: string): WrenConfig => parseConfig(text, { environment: {}, style: "native" }).config;

const EVERYTHING = `
listeners:
  web:
    type: wss
    bind: "[::1]:8443"
    path: /mqtt
    max_connections: 9
    tls:
      certificate_file: c.pem
      key_file: k.pem
      key_passphrase: hush-1
      sni: [{ server_name: "*.example.org", certificate_file: c2.pem, key_file: k2.pem }]
    trusted_proxies: [10.0.0.0/8]
    origins: ["https://example.org"]
    access: [tokens, shop]
    limits: { message_rate: 10/m, byte_rate: 1MiB/s, connect_timeout: 1500ms, retain_available: false }
    ipv6_only: true
    linger: 500ms
    handshake_timeout: 3s
    tcp_keep_alive: 1m
    max_payload: 64KiB
  local: { type: unix, path: /run/w.sock, mode: "0600", raw_tcp: false, linger: 0s }
plugins:
  tokens: { use: jwt, algorithms: [HS256], secret_key: "hush-2-$\${NOT}" }
  shop: { use: sql, connection: "postgresql://me:hush-3@db/x" }
  own: { use: ./own.js, api_token: hush-4, nested: [{ password: hush-5, other: 1 }] }
  acl: { publish: { "on": ["#"], "7": [] } }
store: { path: data, durability: fsync, max_bytes: 64MB, on_damage: set-aside }
shared_subscriptions: { strategy: publisher }
plugin_timeout: 1s
session: { default_expiry: 1d }
workers: auto
`;

describe("describe", () => {
  test.each(usable)("%s: read again, it is the same", (file) => {
    const { config: loaded } = loadConfig(folder + file);
    const { source: _source, folder: _folder, ...again } = parseConfig(show(loaded, { secrets: true })).config;
    const { source: _other, folder: _where, ...before } = loaded;
    expect(again).toEqual(before);
  });
  test("so is a native file with everything, and the default", () => {
    expect(config(show(config(EVERYTHING), { secrets: true }))).toEqual(config(EVERYTHING));
    expect(config(show(defaultConfig()))).toEqual(defaultConfig());
  });
  test("secrets are masked", () => {
    const text = show(config(EVERYTHING));
    expect(text).not.toContain("hush");
    expect(text).toContain("connection: postgresql://me:********@db/x");
    expect(text).toContain("other: 1");
  });
});

describe("migrate", () => {
  test.each(usable)("%s: the native file means the same", (file) => {
    const { yaml, changes } = migrate(readFileSync(folder + file, "utf8"), folder + file);
    const { config: migrated, style, warnings } = parseConfig(yaml, { file: `${folder}new.yaml` });
    const { source: _source, ...before } = loadConfig(folder + file).config;
    const { source: _other, ...after } = migrated;
    expect(style).toBe("native");
    expect(warnings).toEqual([]);
    // Where $SYS is off, how often and under which names it is not published is not said.
    expect({ ...after, sys: after.sys.enabled ? after.sys : false }).toEqual({
      ...before,
      sys: before.sys.enabled ? before.sys : false,
    });
    expect(changes.length).toBeGreaterThan(0);
  });
  test("says what is called and what behaves otherwise; paths stay relative", () => {
    const { yaml, changes } = migrate(
      "auth:\n  plugins: [auth_anonymous, auth_file]\n  allow-anonymous: no\n  password-file: passwd\n",
    );
    expect(yaml).toContain("file: passwd\n");
    expect(yaml).toContain("named_users: ignore");
    expect(changes.join("\n")).toMatch(
      /auth → plugins[\s\S]*line 3, auth.allow-anonymous: false: clients with a user name/,
    );
  });
  test("a native file stays as it is", () => {
    expect(migrate("wrenmq: 1 # mine\n")).toEqual({ yaml: "wrenmq: 1 # mine\n", changes: [] });
  });
  test("a file with mistakes is not translated", () => {
    expect(() => migrate("auth: { plugins: [auth_anonymous], allow-anonymous: perhaps }\n")).toThrow("allow-anonymous");
  });
  test("a Python plugin is marked where it stood, with its options; the file does not start before it is written", () => {
    const { yaml, changes } = migrate(
      "listeners: { default: { bind: '1' } }\nplugins:\n  amqtt.plugins.sys.broker.BrokerSysPlugin:\n  my.plugins.TrafficLight:\n    colour: red\n",
    );
    expect(yaml).toContain(
      '  # my.plugins.TrafficLight has no counterpart: write it as ./traffic-light.js ("Writing a plugin" in docs/plugins.md)\n  traffic-light:\n    use: ./traffic-light.js\n    colour: red\n',
    );
    expect(changes).toContain(
      "my.plugins.TrafficLight has no counterpart: plugins.traffic-light is its place, and the broker does not start without ./traffic-light.js",
    );
    const { config: migrated, errors } = inspectText(yaml, { file: "/nowhere/c.yaml" });
    expect(errors).toEqual([]);
    expect(migrated?.plugins).toContainEqual({
      name: "traffic-light",
      use: "/nowhere/traffic-light.js",
      origin: "path",
      options: { colour: "red" },
    });
    expect(checkFiles(migrated as WrenConfig).map(({ message }) => message)).toEqual([
      expect.stringContaining("/nowhere/traffic-light.js") as string,
    ]);
  });
  test.each([
    ["of auth", "auth: { plugins: [auth_anonymous, my_auth] }\n", "my-auth"],
    ["of the list of hbmqtt", "plugins: [auth_anonymous, my_plugin]\nauth: { allow-anonymous: on }\n", "my-plugin"],
  ])("so is an entry point %s", (_where, text, name) => {
    expect(migrate(text).yaml).toContain(`  ${name}:\n    use: ./${name}.js\n`);
  });
  test("what is no plugin's name is still a mistake", () => {
    expect(() => migrate("plugins:\n  a.b.C:\n  option: { x: 1 }\n")).toThrow("options indented below their plugin");
  });
  test("comments are kept, each before what became of its line", () => {
    const { yaml } = migrate(`# Greenhouse
# since 2021

# where devices come in
listeners:
  # the template
  default:
    type: tcp
    bind: 0.0.0.0:1883   # everywhere
  # for browsers
  web: { type: ws, bind: ":8080" }

auth:
  plugins: [auth_anonymous, auth_file] # both
  # made with a tool
  password-file: "users#1.txt"
topic-check:
  enabled: on
  acl:
    # the boss
    ada: ['#']
# the end
`);
    expect(yaml).toBe(`# Greenhouse
# since 2021

wrenmq: 1
# where devices come in
listeners:
  # the template
  default:
    type: tcp
    # everywhere
    bind: 0.0.0.0:1883
  # for browsers
  web:
    type: ws
    bind: :8080
plugins:
  event-log: {}
  packet-log: {}
  # both
  anonymous:
    allow: true
    named_users: allow
  # made with a tool
  password-file:
    file: users#1.txt
  taboo: {}
  acl:
    subscribe:
      # the boss
      ada:
        - "#"
dollar_topics: refuse
sys:
  enabled: false

# the end
`);
  });
  test.each(usable)("%s: no comment is lost", (file) => {
    const text = readFileSync(folder + file, "utf8");
    const comments = text.split("\n").flatMap((line) => /(?:^|\s)#\s*(.*)$/.exec(line)?.[1] ?? []);
    const { yaml } = migrate(text, folder + file);
    for (const comment of comments) expect(yaml).toContain(comment);
  });
  test("texts that look like references stay texts", () => {
    const { yaml } = migrate("topic-check: { enabled: on, acl: { a: ['${HOME}'] } }");
    expect(config(yaml).plugins.find((each) => each.use === "acl")?.options["subscribe"]).toEqual({ a: ["${HOME}"] });
  });
});

describe("diffConfig", () => {
  const BASE = `
listeners: { a: { bind: ":1" }, b: { bind: ":2" }, c: { bind: ":3" }, d: { bind: ":4" } }
plugins: { anonymous: {}, acl: { publish: {} }, token: { file: t } }
`;
  test("nothing", () => expect(diffConfig(config(BASE), config(BASE)).empty).toBe(true));
  test("listeners: added, removed, rebound, updated", () => {
    const after = BASE.replace('":2"', '":22"').replace(
      'c: { bind: ":3" }',
      'c: { bind: ":3", max_connections: 5, access: [acl] }',
    );
    const { listeners, empty } = diffConfig(config(BASE), config(after.replace("d: {", "e: {")));
    expect(empty).toBe(false);
    expect(listeners.added.map((each) => each.name)).toEqual(["e"]);
    expect(listeners.removed).toEqual(["d"]);
    expect(listeners.rebound.map((each) => each.port)).toEqual([22]);
    expect(listeners.updated).toMatchObject([{ listener: { name: "c" }, changed: ["maxConnections", "access"] }]);
  });
  test("everything of TLS changes while the socket is open", () => {
    const tls = (rest: string) =>
      config(`listeners: { a: { type: tls, tls: { certificate_file: c, key_file: k, ${rest} } } }`);
    for (const rest of ["ca_file: b", "ca_file: a, require_certificate: true", "ca_file: a, ciphers: x"]) {
      expect(diffConfig(tls("ca_file: a"), tls(rest)).listeners).toMatchObject({
        rebound: [],
        updated: [{ changed: ["tls"] }],
      });
    }
  });
  test("what makes another listener, what does not, and what a broker cannot change while it runs", () => {
    const listener = (rest: string) => config(`listeners: { a: { bind: "[::]:1", ${rest} } }`).listeners;
    const diff = (before: WrenConfig["listeners"], after: WrenConfig["listeners"]) =>
      diffConfig({ ...defaultConfig(), listeners: before }, { ...defaultConfig(), listeners: after }).listeners;
    for (const key of ["raw_tcp: false", "linger: 1s", "tcp_keep_alive: 1m", "backlog: 5"]) {
      expect(diff(listener(""), listener(key)), key).toMatchObject({ rebound: [], updated: [{}] });
    }
    expect(diff(listener(""), listener("ipv6_only: true")).rebound).toHaveLength(1);
    const web = (rest: string) => config(`listeners: { a: { type: ws, ${rest} } }`).listeners;
    expect(diff(web("path: /a"), web("path: /b"))).toMatchObject({ rebound: [], updated: [{ changed: ["path"] }] });
    const unix = (rest: string) => config(`listeners: { a: { type: unix, ${rest} } }`).listeners;
    expect(diff(unix("path: /a"), unix("path: /b")).rebound).toHaveLength(1);
    expect(diff(unix("path: /a"), unix('path: /a, mode: "0600"'))).toMatchObject({ rebound: [], updated: [{}] });
    const other = "store: { path: d, max_bytes: 1GiB }\nshared_subscriptions: { strategy: random }\nplugin_timeout: 1s";
    const { needsRestart } = diffConfig(config(BASE), config(`${BASE}\n${other}`));
    expect(needsRestart).toEqual(["store", "shared_subscriptions", "plugin_timeout"]);
  });
  test("plugins: added, removed, changed, kept, reordered", () => {
    const after = BASE.replace(
      "anonymous: {}, acl: { publish: {} }, token: { file: t }",
      "token: { file: u }, acl: { publish: {} }, taboo: {}",
    );
    const { plugins } = diffConfig(config(BASE), config(after));
    expect(plugins).toMatchObject({ removed: ["anonymous"], kept: ["acl"], reordered: true });
    expect(plugins.added.map((each) => each.name)).toEqual(["taboo"]);
    expect(plugins.changed.map((each) => each.options)).toMatchObject([{ file: "u" }]);
  });
  test("limits, settings, and what needs a restart", () => {
    const after = `${BASE}limits: { max_inflight: 1 }\nlog: { level: debug }\nsys: { interval: 1s }\nworkers: 2\nstore: { path: x }\n`;
    const plan = diffConfig(config(BASE), config(after));
    expect(plan.limitsChanged).toEqual(["maxInflight"]);
    expect(plan.settingsChanged).toEqual(["sys", "log"]);
    expect(plan.needsRestart).toEqual(["store", "workers"]);
  });
});

describe("configChanges", () => {
  const changes = (before: string, after: string): string[] =>
    configChanges(config(before), config(after)).map(
      ({ key, before: was, after: is, effect }) => `${key}: ${was ?? "none"} -> ${is ?? "none"} (${effect})`,
    );
  const BASE = 'listeners: { a: { bind: ":1" }, b: { bind: ":2" } }\nplugins: { anonymous: {}, token: { file: t } }\n';

  test("nothing is different", () => expect(changes(BASE, BASE)).toEqual([]));

  test("each key with both values and what a reload does about it", () => {
    const more =
      "limits: { max_sessions: 3 }\nlog: { level: debug, format: json }\nsys: { interval: 1s }\nworkers: 2\n";
    expect(changes(BASE, BASE + more)).toEqual([
      "limits.max_sessions: 1000000 -> 3 (now)",
      "sys.interval: 20s -> 1s (restart)",
      "log.level: info -> debug (now)",
      "log.format: none -> json (restart)",
      "workers: 1 -> 2 (restart)",
    ]);
  });

  test("listeners and plugins that come, go, move or stay", () => {
    const after = `
listeners: { a: { bind: ":11", max_connections: 7 }, c: { bind: ":3" } }
plugins: { token: { file: u }, taboo: {} }
`;
    const found = changes(BASE, after);
    expect(found.slice(0, 2)).toEqual([
      "listeners.a.bind: :1 -> :11 (moves)",
      "listeners.a.max_connections: unlimited -> 7 (moves)",
    ]);
    expect(found[2]).toMatch(/^listeners\.b: type: tcp, bind: :2, .* -> none \(closes\)$/);
    expect(found[3]).toMatch(/^listeners\.c: none -> type: tcp, bind: :3, .* \(opens\)$/);
    expect(found[4]).toMatch(/^plugins\.anonymous: .* -> none \(stops\)$/);
    expect(found[5]).toBe("plugins.token.file: t -> u (startsAgain)");
    expect(found[6]).toMatch(/^plugins\.taboo: none -> .* \(starts\)$/);
    const swapped = BASE.replace("anonymous: {}, token: { file: t }", "token: { file: t }, anonymous: {}");
    expect(changes(BASE, swapped)).toEqual(["plugins: anonymous, token -> token, anonymous (order)"]);
  });

  test("a secret that has changed is a change, and is not shown", () => {
    const own = (token: string) =>
      `plugins: { own: { use: ./own.js, nested: [{ password: ${token} }], api_token: ${token} } }\n`;
    const found = changes(own("hush-1"), own("hush-2"));
    expect(found).toEqual([
      'plugins.own.nested: {"password":"********"} -> {"password":"********"} (startsAgain)',
      "plugins.own.api_token: ******** -> ******** (startsAgain)",
    ]);
  });
});

describe("riskWarnings", () => {
  const risks = (text: string): string => riskWarnings(config(text)).map(formatDiagnostic).join("\n");
  const TLS = "tls: { certificate_file: c, key_file: k";
  test.each([
    [
      "anonymous on a public address",
      "plugins: { anonymous: {} }\nlisteners: { a: {} }",
      /^listeners.a: anonymous clients may/,
    ],
    [
      "password in the clear",
      "plugins: { token: { file: t } }\nlisteners: { a: { type: ws } }",
      /unencrypted .*type wss/,
    ],
    ["any web page", "plugins: { anonymous: {} }\nlisteners: { a: { type: ws, bind: localhost } }", /any web page/],
    [
      "names without passwords, and rules by name",
      "plugins: { anonymous: { named_users: allow }, acl: { publish: {} } }\nlisteners: { a: { bind: localhost } }",
      /choose a user name without a password/,
    ],
    ["certificates not required", `plugins: { x509: {} }\nlisteners: { a: { type: tls, ${TLS} } } }`, /not asked for/],
    [
      "verified against the system's authorities",
      `plugins: { x509: {} }\nlisteners: { a: { type: tls, ${TLS}, require_certificate: true } } }`,
      /no authority is given/,
    ],
    [
      "everybody is a trusted proxy",
      "plugins: { token: { file: t } }\nlisteners: { a: { bind: localhost, proxy_protocol: true, trusted_proxies: ['::/0'] } }",
      /any address as theirs/,
    ],
    [
      "no bound of a queue",
      "limits: { max_queued_messages: 0, max_queued_bytes: 0 }",
      /limits.max_queued_bytes: neither/,
    ],
    [
      "a directory in the clear",
      "plugins: { ldap: { server: 'ldap://dir.example', base_dn: b, user_attribute: u, bind_dn: d, bind_password: p } }",
      /unencrypted to dir.example/,
    ],
    ["a web service in the clear", "plugins: { http: { host: h, port: 80 } }", /unencrypted to h/],
  ])("%s", (_name, text, message) => expect(risks(text)).toMatch(message));
  test("none for the default, for loopback with passwords, for a chain without anonymous", () => {
    expect(risks("")).toBe("");
    expect(
      risks("plugins: { token: { file: t } }\nlisteners: { a: { bind: '127.0.0.2:1' }, b: { bind: '[::1]:1' } }"),
    ).toBe("");
    expect(
      risks(
        `plugins: { anonymous: {}, token: { file: t } }\nlisteners: { a: { type: tls, ${TLS} }, access: [token] } }`,
      ),
    ).toBe("");
  });
  test("anonymous where nobody comes without a certificate is none", () => {
    const listener = `{ type: wss, ${TLS}, ca_file: a, require_certificate: true } }`;
    expect(risks(`plugins: { anonymous: {} }\nlisteners: { a: ${listener} }`)).toBe("");
  });
  test("with a line, if the place is known", () => {
    const { config: loaded, locate } = loadConfig(`${folder}01-default-broker.yaml`);
    expect(riskWarnings(loaded, locate)[0]).toMatchObject({ line: 4, key: "listeners.default" });
  });
});

describe("checkFiles", () => {
  let scratch = "";
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "wrenmq-config-"));
  });
  afterAll(() => rmSync(scratch, { recursive: true }));
  const check = (text: string) => {
    const { config: loaded, locate } = parseConfig(text, { file: join(scratch, "w.yaml"), environment: {} });
    return checkFiles(loaded, { locate });
  };

  test("what is said has a line, and the key of the user's own file", () => {
    const text = "auth:\n  password-file: pw\nplugins: [auth_file]\nlisteners: { default: { type: tcp } }\n";
    expect(check(text)).toEqual([
      expect.objectContaining({ line: 2, column: 18, key: "auth.password-file" }) as unknown,
    ]);
  });
  test("pipes and devices are no files: they would be empty the second time, or have no end", () => {
    expect(check("plugins: { password-file: { file: /dev/zero } }")[0]?.message).toBe(
      "cannot read the file /dev/zero: it is not a regular file",
    );
  });
  test("password files, modules and the store's folder", () => {
    writeFileSync(join(scratch, "a-file"), "");
    const errors = check(
      "plugins: { password-file: { file: pw }, own: { use: ./own.js } }\nstore: { path: a-file/x }\n",
    );
    expect(errors.map(({ key }) => key)).toEqual(["plugins.password-file.file", "plugins.own.use", "store.path"]);
    expect(check("store: { path: new/folder }\nplugins: { anonymous: {} }\n")).toEqual([]);
  });
});
