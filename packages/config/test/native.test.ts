// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax under test
// The native style: sections, defaults, units, environment, includes, and what is refused.
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import {
  ConfigError,
  checkFiles,
  configSchema,
  defaultConfig,
  formatDiagnostic,
  fromObject,
  inspectText,
  type ParseOptions,
  parseConfig,
  type WrenConfig,
} from "../src/index.ts";

const parse = (text: string, options: ParseOptions = {}) => parseConfig(text, { environment: {}, ...options });
const config = (text: string, options: ParseOptions = {}) => parse(text, options).config;
function mistakes(text: string, options: ParseOptions = {}): ConfigError {
  try {
    parse(text, options);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error(`accepted:\n${text}`);
}
const ANYONE = "plugins: { anonymous: {} }\n";

describe("without saying anything", () => {
  test("an empty file means the same as no file: everyone on this machine", () => {
    const { config: empty, style, warnings } = parse("");
    expect(empty).toEqual(defaultConfig());
    expect([style, warnings]).toEqual(["native", []]);
    expect(empty.listeners).toMatchObject([{ name: "default", type: "tcp", host: "localhost", port: 1883 }]);
    expect(empty.plugins).toMatchObject([{ use: "anonymous", options: { allow: true, namedUsers: "allow" } }]);
    expect(config("# only a comment\n---\n")).toEqual(empty);
  });
  test("listeners without plugins let nobody in, and that is said", () => {
    const { config: closed, warnings } = parse("listeners:\n  here: { bind: ':1884' }\n");
    expect(closed.plugins).toEqual([]);
    expect(warnings[0]?.message).toContain("every client will be refused");
  });
  test("defaults are not shared between two configurations", () => {
    defaultConfig().limits.maxInflight = 1;
    defaultConfig().listeners[0]?.origins.push("x");
    expect(defaultConfig().limits.maxInflight).toBe(16_384);
    expect(defaultConfig().listeners[0]?.origins).toEqual([]);
  });
});

describe("every mistake at once, in the order of the file", () => {
  const all = (text: string, options: ParseOptions = {}): string[] =>
    mistakes(text, { style: "native", ...options }).diagnostics.map(formatDiagnostic);

  test("in sections, in lists, in plugins, between keys, and of names that are not there", () => {
    expect(
      all(`listeners:
  a:
    type: tcp
    bnd: 1883
    path: /x
    backlog: 0
    access: [nobody]
  b: { type: ws, bind: ":8080", path: x, tls: { certificate_file: c, key_file: k } }
  c: { type: tls, tls: { key_fil: k } }
  d: { bind: ":8080" }
plugins:
  anonymos: {}
  http: { port: 0, pot: 1 }
  acl: { publish: { ada: a/# } }
limits:
  max_inflight: many
  connect_timeout: 30
store: { durability: fsync, pth: /d }
workers: none
typo: 1
`),
    ).toEqual([
      expect.stringMatching(/^<text>:4:5: listeners.a.bnd: unknown key \(did you mean "bind"\?\)/),
      "<text>:5:11: listeners.a.path: a listener of type tcp has no path",
      expect.stringMatching(/^<text>:6:14: listeners.a.backlog: expected a whole number/),
      '<text>:7:14: listeners.a.access.0: no plugin of the name "nobody"; there are acl, anonymos, http',
      expect.stringMatching(/^<text>:8:39: listeners.b.path: expected a path that starts with/),
      expect.stringMatching(/^<text>:8:47: listeners.b.tls: a listener of type ws has no TLS/),
      "<text>:9:24: listeners.c.tls.certificate_file: missing: expected the path of a file",
      expect.stringMatching(/^<text>:9:26: listeners.c.tls.key_fil: unknown key \(did you mean "key_file"\?\)/),
      expect.stringMatching(/^<text>:10:14: listeners.d.bind: .*:8080 is already used by listener b$/),
      expect.stringMatching(
        /^<text>:12:13: plugins.anonymos: unknown plugin "anonymos" \(did you mean "anonymous"\?\)/,
      ),
      "<text>:13:9: plugins.http.host: missing: expected a host name",
      expect.stringMatching(/^<text>:13:17: plugins.http.port: expected a whole number/),
      expect.stringMatching(/^<text>:13:20: plugins.http.pot: unknown key \(did you mean/),
      expect.stringMatching(/^<text>:14:26: plugins.acl.publish.ada: expected a list/),
      expect.stringMatching(/^<text>:16:17: limits.max_inflight: expected/),
      expect.stringMatching(/^<text>:17:20: limits.connect_timeout: expected a duration .*write 30s/),
      expect.stringMatching(/^<text>:18:29: store.pth: unknown key \(did you mean "path"\?\)/),
      expect.stringMatching(/^<text>:19:10: workers: expected/),
      expect.stringMatching(/^<text>:20:1: typo: unknown key/),
    ]);
  });

  test("what follows from a mistake is not a second one", () => {
    // The type is not known, so nobody knows what goes with it; a misspelt required key is not missing too.
    expect(all("listeners: { a: { type: tsl, tls: { certificate_file: c, key_file: k } } }")).toHaveLength(1);
    expect(all("listeners: { a: { proxy_protocol: true, trusted_proxies: [x] } }")).toHaveLength(1);
    expect(all("plugins: { password-file: { fil: x } }")).toHaveLength(1);
    expect(all("plugins: { acl: { publish: 1 } }")).toHaveLength(1);
    expect(all("plugins: { x509: { identity: spiffe, uri_domain: [1] } }")).toHaveLength(1);
    expect(all("listeners: { a: { bind: '${PORT}' } }")).toHaveLength(1);
    expect(all("store: { durability: fsync, path: [] }")).toHaveLength(1);
    expect(all("listeners: { a: { access: [acl] } }\nplugins: { acl: { publish: 1 } }")).toHaveLength(1);
  });

  test("of YAML, of keys given twice, of the environment and of what is included", () => {
    expect(all("a: [1\nb: {\n")).toEqual([
      expect.stringMatching(/^<text>:\d+:\d+: not valid YAML/),
      expect.stringMatching(/^<text>:\d+:\d+: not valid YAML/),
    ]);
    const readFile = (): string => "workers: 0\nworkers: 0\n";
    const text = "include: [more.yaml]\nworker: 1\nlimits: { max_inflight: '${X}' }\n";
    expect(all(text, { file: "/d/c.yaml", readFile })).toEqual([
      expect.stringMatching(/^\/d\/more.yaml:1:10: workers: expected/),
      "/d/more.yaml:2:1: workers: this key was already given",
      expect.stringMatching(/^\/d\/more.yaml:2:10: workers: expected/),
      expect.stringMatching(/^\/d\/c.yaml:2:1: worker: unknown key/),
      expect.stringMatching(/^\/d\/c.yaml:3:25: limits.max_inflight: the environment variable X is not set/),
    ]);
  });

  test("what can be read of the rest is there, for checks of files", () => {
    const { config: rest, errors } = inspectText(
      "listeners: { a: { bnd: 1, tls: { certificate_file: c.pem, key_file: k.pem }, type: tls } }\nplugins: { password-file: { file: u, relod: 1s } }\nworkers: 0\n",
      { file: "/d/c.yaml", style: "native" },
    );
    expect(errors).toHaveLength(3);
    expect(rest?.listeners[0]?.tls).toMatchObject({ certificateFile: "/d/c.pem", keyFile: "/d/k.pem" });
    expect(checkFiles(rest as WrenConfig).map(({ message }) => message)).toEqual([
      "cannot read the file /d/u: no such file or directory",
    ]);
  });
});

describe("keys for YAML anchors", () => {
  const TEXT =
    "x-limits: &limits { max_inflight: 7 }\nx-user: &user ada\nlimits: { <<: *limits }\nplugins: { acl: { publish: { *user : ['#'] } } }\n";

  test("x- at the top of a file is not looked at", () => {
    const { config: loaded, style } = parse(TEXT);
    expect([style, loaded.limits.maxInflight]).toEqual(["native", 7]);
    expect(loaded.plugins[0]?.options["publish"]).toEqual({ ada: ["#"] });
  });
  test("also in a file of aMQTT, in an object, and in a file that is included", () => {
    expect(
      parse("x-a: &a { bind: '1884' }\nlisteners: { default: *a }\nauth: { plugins: [auth_anonymous] }\n").config
        .listeners,
    ).toMatchObject([{ port: 1884 }]);
    expect(fromObject({ "x-a": 1, limits: { max_inflight: 3 } }).config.limits.maxInflight).toBe(3);
    const readFile = (): string => "x-a: 1\nlimits: { max_inflight: 4 }\n";
    expect(config("include: [a.yaml]\n", { file: "/d/c.yaml", readFile }).limits.maxInflight).toBe(4);
  });
  test("a variable in one that nobody uses need not be set", () => {
    expect(config("x-a: '${NOT_SET}'\nworkers: 2\n").workers).toBe(2);
  });
  test("x- elsewhere is a key like others", () => {
    expect(mistakes("limits: { x-a: 1 }").message).toContain("limits.x-a: unknown key");
    expect(mistakes("x: 1\nworkers: 1\n").message).toContain("x: unknown key");
  });
  test("the schema knows them", () => {
    expect(configSchema()).toMatchObject({ patternProperties: { "^x-.": {} } });
  });
});

describe("units", () => {
  const limit = (line: string) => config(`${ANYONE}limits: { ${line} }`).limits;
  test("durations", () => {
    expect(limit("connect_timeout: 1m30s").connectTimeout).toBe(90_000);
    expect(limit("connect_timeout: 500ms").connectTimeout).toBe(500);
    expect(limit("connect_timeout: 1.5s").connectTimeout).toBe(1500);
    expect(limit("maximum_keep_alive: 1h").keepAliveMaximum).toBe(3600);
    expect(limit("maximum_keep_alive: unlimited").keepAliveMaximum).toBe(0);
  });
  test.each(["30", "'30'", "30 parsecs", "s", "''", "-3s", "true"])("not a duration: %s", (word) => {
    expect(mistakes(`${ANYONE}limits: { connect_timeout: ${word} }`).message).toContain(
      "expected a duration such as 30s",
    );
  });
  test("a bare number is ambiguous, the message says how to write it", () => {
    expect(mistakes(`${ANYONE}limits: { connect_timeout: 30 }`).message).toContain("(write 30s or 30ms)");
  });
  test("sizes", () => {
    expect(limit("maximum_packet_size: 16MiB").maximumPacketSize).toBe(16 * 1024 * 1024);
    expect(limit("maximum_packet_size: 2MB").maximumPacketSize).toBe(2_000_000);
    expect(limit("maximum_packet_size: 65536").maximumPacketSize).toBe(65_536);
    expect(limit("max_queued_bytes: 0").maxQueuedBytes).toBe(0);
    expect(mistakes(`${ANYONE}limits: { maximum_packet_size: 1GiB }`).message).toContain(
      "expected a size such as 16MiB",
    );
    expect(mistakes(`${ANYONE}limits: { maximum_packet_size: 0 }`).message).toContain("got number 0");
  });
  test("rates and counts", () => {
    expect(limit("message_rate: 100/s").messageRate).toBe(100);
    expect(limit("message_rate: 600/m").messageRate).toBe(10);
    expect(limit("byte_rate: 1MiB/s").byteRate).toBe(1024 * 1024);
    expect(limit("max_connections: unlimited").maxConnections).toBe(0);
    expect(mistakes(`${ANYONE}limits: { message_rate: 100 }`).message).toContain("(write 100/s)");
  });
});

describe("mistakes", () => {
  test("one clear line: file, line, column, key, what was expected and what was there", () => {
    const text = "listeners:\n  tcp1:\n    bind: 1.2.3.4:70000\n";
    const error = mistakes(text, { file: "/etc/wrenmq.yaml", style: "native" });
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.message).toBe(
      '/etc/wrenmq.yaml:3:11: listeners.tcp1.bind: expected an address such as 127.0.0.1:1883, :1883, 1883, localhost or [::1]:1883, got "1.2.3.4:70000"',
    );
    expect(error.diagnostics).toMatchObject([
      { file: "/etc/wrenmq.yaml", line: 3, column: 11, key: "listeners.tcp1.bind" },
    ]);
    expect(error.diagnostics[0]?.expected).toContain("127.0.0.1:1883");
  });
  test("all of them at once, in the order of the file", () => {
    const error = mistakes("wrenmq: 1\nlimits:\n  max_inflght: 3\n  overflow: drop\nlogs: {}\n");
    expect(error.diagnostics.map(({ line, key }) => [line, key])).toEqual([
      [3, "limits.max_inflght"],
      [4, "limits.overflow"],
      [5, "logs"],
    ]);
    expect(error.diagnostics[0]?.message).toMatch(
      /^unknown key \(did you mean "max_inflight"\?\), expected one of connect_timeout, .*, max_inflight, .*, overflow/,
    );
    expect(error.diagnostics[2]?.message).toContain('unknown key (did you mean "log"?), expected one of wrenmq,');
  });
  test.each([
    ["not YAML", "wrenmq: 1\nlimits: {", /^<text>:2:\d+: not valid YAML/],
    [
      "two documents",
      "wrenmq: 1\n---\nwrenmq: 1\n",
      /^<text>:2:1: a second YAML document begins here.*file of its own/,
    ],
    ["a second document that is empty", "wrenmq: 1\n---\n", /^<text>:2:1: a second YAML document begins here/],
    [
      "a mosquitto.conf",
      "# comment\n\nlistener 1883\n",
      /^<text>:3: this is a configuration of Mosquitto \(listener …\)/,
    ],
    [
      "one that YAML cannot read",
      "topic # both 0\naddress h:1\n#\nuser a\n",
      /^<text>:1: this is a .* Mosquitto \(topic …\)/,
    ],
    ["a secret in one", "remote_password hush\n# x\nport 1\n", /^(?!.*hush)<text>:1: this is a .* Mosquitto/],
    ["keys and values", "# x\nlistener.tcp.default = 127.0.0.1:1883\n", /^<text>:2: .*write "listener.tcp.default: …"/],
    ["XML", "<?xml version='1.0'?>\n<hivemq/>\n", /^<text>:1: this is XML/],
    ["a certificate", "-----BEGIN CERTIFICATE-----\nabc\n", /^<text>:1: this is a certificate or a key/],
    ["something else that is no YAML", "just words\n", /expected a mapping, got "just words"/],
    ["a flag in quotes", "warm_up: 'off'\n", /expected true or false, got "off" \(write false, without quotes/],
    ["a tag of Python", "wrenmq: 1\nstore: !!python/object:os.system x\n", /Unresolved tag/],
    ["a key twice", "wrenmq: 1\nlog: {}\nlog: {}\n", /^<text>:3:1: log: this key was already given$/],
    ["a list at the top", "- wrenmq\n", /expected a mapping, got a list/],
    ["hyphens", "wrenmq: 1\nkeep-alive: {}\n", /keep-alive: unknown key \(did you mean "keep_alive"\?\)/],
    ["a word of YAML 1.1", "wrenmq: 1\nsys: { enabled: on }\n", /expected true or false, got "on" .*write true/],
    ["a number for a text", "wrenmq: 1\nplugins: { token: { file: 7 } }\n", /plugins.token.file: expected the path/],
    [
      "unknown choice",
      "wrenmq: 1\nlog: { level: warning }\n",
      /expected .* or silent, got "warning" \(did you mean "warn"\?\)/,
    ],
    [
      "missing key",
      "plugins: { password-file: {} }\n",
      /plugins.password-file.file: missing: expected the path of a file/,
    ],
    [
      "unknown plugin",
      "wrenmq: 1\nplugins: { annonymous: {} }\n",
      /unknown plugin "annonymous" \(did you mean "anonymous"\?\)/,
    ],
    [
      "unknown option",
      "plugins: { anonymous: { alow: true } }\n",
      /anonymous.alow: unknown key \(did you mean "allow"\?\), expected one of allow, named_users$/,
    ],
    [
      "a key like no other",
      "wrenmq: 1\nlog: { colour: red }\n",
      /log.colour: unknown key, expected one of level, format$/,
    ],
    ["the only key", "wrenmq: 1\nkeep_alive: { more: 1s }\n", /more: unknown key, expected extra_delay$/],
    ["no key at all", "plugins: { event-log: { level: 1 } }", /event-log.level: unknown key: none is expected here$/],
    ["future version", "wrenmq: 2\n", /wrenmq: expected .*1, got number 2/],
    [
      "a unix listener with an address",
      "listeners: { a: { type: unix, path: /s, bind: ':1' } }",
      /has no address; it has a path/,
    ],
    ["a unix listener without a path", "listeners: { a: { type: unix } }", /path: missing/],
    ["tls without certificates", "listeners: { a: { type: tls } }", /tls: missing: .*certificate_file/],
    [
      "certificates without tls",
      "listeners: { a: { type: ws, tls: { certificate_file: a, key_file: b } } }",
      /did you mean type: wss\?/,
    ],
    ["a relative path of ws", "listeners: { a: { type: ws, path: mqtt } }", /starts with "\/"/],
    ["PROXY from nobody", "listeners: { a: { proxy_protocol: true } }", /needs trusted_proxies/],
    ["time for a header of nobody", "listeners: { a: { proxy_timeout: 1s } }", /only with proxy_protocol/],
    ["IPv6 alone on all addresses", "listeners: { a: { ipv6_only: true } }", /a.ipv6_only: only with an IPv6 address/],
    [
      "raw TLS",
      "listeners: { a: { type: external, raw_tcp: true } }",
      /a.raw_tcp: only for .* tcp or tls or ws or unix$/,
    ],
    ["a handshake in the clear", "listeners: { a: { handshake_timeout: 1s } }", /only for .* tls or ws or wss$/],
    ["no time for CONNECT", "limits: { connect_timeout: 0s }", /expected a duration such as 30s, longer than 0/],
    ["WebSocket messages over TCP", "listeners: { a: { max_payload: 1KiB } }", /a.max_payload: only for .* ws or wss$/],
    ["a bound in words", "store: { path: d, max_bytes: much }", /store.max_bytes: expected a size such as 16MiB/],
    ["not a range", "listeners: { a: { trusted_proxies: [10.0.0.0/64] } }", /expected an address or range/],
    [
      "one port twice",
      "listeners: { a: { bind: ':1' }, b: { bind: '1' } }",
      /b.bind: :1 is already used by listener a/,
    ],
    [
      "access of nobody",
      `${ANYONE}listeners: { a: { access: [ldap] } }`,
      /no plugin of the name "ldap"; there are anonymous/,
    ],
    ["an ACL without rules", "plugins: { acl: {} }", /plugins.acl: expected at least one of subscribe, publish/],
    [
      "a limit of the whole broker",
      "listeners: { a: { limits: { max_connections: 5 } } }",
      /limits.max_connections: unknown/,
    ],
    ["another one", "listeners: { a: { limits: { max_sessions: 5 } } }", /limits.max_sessions: unknown/],
    ["an IPv6 address without quotes", "listeners:\n  a:\n    bind: [::]:1883\n", /put an IPv6 address in quotes/],
    ["an include that is no path", "include: [{}]", /include.0: expected the path of a file, got a mapping/],
    ["SPIFFE without a domain", "plugins: { x509: { identity: spiffe } }", /x509.uri_domain: missing/],
    ["store without a folder", "store: { durability: fsync }", /store.path: missing/],
    ["no threads", "workers: 0", /expected a whole number from 1 to 1024/],
  ])("%s", (_name, text, message) => expect(mistakes(text, { style: "native" }).message).toMatch(message));
  test("aliases cannot blow a small file up", () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    const text = `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${levels.join("\n")}\n`;
    expect(mistakes(text).message).toMatch(/more than 200000 values|alias/i);
    expect(mistakes("wrenmq: &a { store: *a }\n").message).toMatch(/levels|alias/i);
  });
  test("keys like __proto__ are only keys", () => {
    const { plugins } = config("plugins: { acl: { publish: { __proto__: [a] } }, anonymous: {} }");
    expect(Object.keys(plugins[0]?.options["publish"] ?? {})).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["0"]).toBeUndefined();
  });
});

describe("store", () => {
  test("how much, and what if it is damaged", () => {
    const { store } = config("store: { path: d, max_bytes: '64 MB', on_damage: set-aside }", { file: "/etc/w.yaml" });
    expect(store).toEqual({ path: "/etc/d", durability: "batch", maxBytes: 64_000_000, onDamage: "set-aside" });
  });
  test("what has no effect is warned of", () => {
    const { config: read, warnings } = parse("store: { max_bytes: 1GiB }");
    expect(read.store).toEqual({ durability: "memory" });
    expect(warnings.map(({ key, message }) => `${key}: ${message}`)).toContain(
      "store.max_bytes: not used without path",
    );
  });
});

describe("listeners", () => {
  const one = (text: string) => config(`${ANYONE}listeners:\n  a: ${text}\n`, { file: "/etc/w.yaml" }).listeners[0];
  test.each([
    ["1883", undefined, 1883],
    ["':1884'", undefined, 1884],
    ["''", undefined, 1883],
    ["localhost", "localhost", 1883],
    ["localhost:1", "localhost", 1],
    ["0.0.0.0:0", "0.0.0.0", 0],
    ["'[::]:1883'", "::", 1883],
    ["'[::1]'", "::1", 1883],
    ["'::1'", "::1", 1883],
    ["'*:9'", undefined, 9],
  ])("bind %s", (bind, host, port) => {
    const listener = one(`{ bind: ${bind} }`);
    expect([listener?.host, listener?.port]).toEqual([host, port]);
  });
  test.each(["a:b:c", "'host:'", "host:99999", "99999", "'[nohost]:1'", "'a b:1'", "[1]", "1.5"])(
    "not a bind: %s",
    (bind) => expect(() => one(`{ bind: ${bind} }`)).toThrow("expected an address"),
  );
  test("default ports by type", () => {
    const tls = "tls: { certificate_file: c, key_file: k }";
    expect(one("{ type: ws }")?.port).toBe(8080);
    expect(one(`{ type: tls, ${tls} }`)?.port).toBe(8883);
    expect(one(`{ type: wss, ${tls} }`)?.port).toBe(8443);
    expect(one(`{ type: wss, ${tls} }`)?.tls).toMatchObject({ certificateFile: "/etc/c", minimumVersion: "TLSv1.2" });
  });
  test("unix, with its permissions", () =>
    expect(one("{ type: unix, path: run/mqtt.sock, mode: '0660' }")).toMatchObject({
      path: "/etc/run/mqtt.sock",
      mode: 0o660,
    }));
  test("limits and access of its own", () =>
    expect(one("{ limits: { max_inflight: 7 }, access: [anonymous] }")).toMatchObject({
      limits: { maxInflight: 7 },
      access: ["anonymous"],
    }));
});

describe("plugins", () => {
  test("the name says which, `use` says otherwise; paths belong to the file", () => {
    const { plugins } = config(
      "plugins:\n  staff: { use: password-file, file: users }\n  own: { use: ./my.js, a_b: [1] }\n  '@x/y': { k: v }\n",
      { file: "/etc/w.yaml" },
    );
    expect(plugins).toEqual([
      {
        name: "staff",
        use: "password-file",
        origin: "built-in",
        options: { file: "/etc/users", rememberSeconds: 300, reloadIntervalSeconds: 2 },
      },
      { name: "own", use: "/etc/my.js", origin: "path", options: { a_b: [1] } },
      { name: "@x/y", use: "@x/y", origin: "package", options: { k: "v" } },
    ]);
  });
  test("a chain that lets nobody in is worth a warning", () => {
    const text = "plugins: { anonymous: {}, acl: { publish: {} } }\nlisteners: { a: { access: [acl] } }";
    expect(parse(text).warnings).toMatchObject([{ key: "listeners.a.access" }]);
  });
  test("secrets are not quoted in messages", () => {
    const { message } = mistakes("plugins: { jwt: { algorithms: [HS256], secret_key: 123456 } }");
    expect(message).toContain("jwt.secret_key: expected text in quotes");
    expect(message).not.toContain("123456");
  });
  test("objects that refer to themselves are passed on to plugins of one's own", () => {
    const host: Record<string, unknown> = { name: "h" };
    host["self"] = host;
    const { plugins } = fromObject({ plugins: { own: { use: "my-package", host } } }).config;
    expect(plugins[0]?.options["host"]).toMatchObject({ name: "h", self: host });
    expect(() => fromObject({ include: ["a.yaml"] })).toThrow("only files can include files");
  });
  test("objects may hand functions to their own plugins", () => {
    const decide = () => true;
    const { plugins } = fromObject({ plugins: { own: { use: "my-package", decide } } }).config;
    expect(plugins[0]?.options["decide"]).toBe(decide);
  });
});

describe("environment", () => {
  const environment = { PORT: "1999", NAME: "secret", EMPTY: "", DIGITS: "123456", YES: "true" };
  const read = (text: string) => config(text, { environment });
  test("values are read as what the key needs", () => {
    const listener = read(
      "plugins: { anonymous: { allow: '${YES}' } }\nlisteners: { a: { bind: 'localhost:${PORT}' } }",
    );
    expect(listener.listeners[0]?.port).toBe(1999);
    expect(listener.plugins[0]?.options["allow"]).toBe(true);
    for (const [word, warmUp] of [
      ["on", true],
      ["Yes", true],
      ["OFF", false],
      ["no", false],
    ] as const) {
      expect(config("warm_up: ${FLAG}", { environment: { FLAG: word } }).warmUp).toBe(warmUp);
    }
    expect(() => config("warm_up: ${FLAG}", { environment: { FLAG: "maybe" } })).toThrow(/true or false, got "maybe"/);
    expect(
      read("plugins: { jwt: { algorithms: [HS256], secret_key: '${DIGITS}' } }").plugins[0]?.options["secretKey"],
    ).toBe("123456");
    expect(read("limits:\n  max_inflight: ${INFLIGHT:-12}\n").limits.maxInflight).toBe(12);
  });
  test("default, empty, escaped", () => {
    const secret = (value: string) =>
      read(`plugins: { jwt: { algorithms: [HS256], secret_key: "${value}" } }`).plugins[0]?.options["secretKey"];
    expect(secret("a-${NAME}-${NOT_SET:-b}")).toBe("a-secret-b");
    expect(secret("${EMPTY:-x}")).toBe("x");
    expect(secret("$${NAME}")).toBe("${NAME}");
    expect(secret("$NAME $5")).toBe("$NAME $5");
  });
  test("unset without a default, or misspelt, is a mistake at its place", () => {
    expect(mistakes("wrenmq: 1\nlog:\n  level: ${LEVEL}\n").message).toMatch(
      /^<text>:3:10: log.level: the environment variable LEVEL is not set/,
    );
    expect(mistakes("wrenmq: 1\nlog:\n  level: ${1LEVEL}\n").message).toContain("expected ${NAME}");
  });
  test("is not looked for in the old styles and in objects", () => {
    const acl = { acl: { a: ["${NAME}"] } };
    const old = fromObject({ plugins: { "amqtt.plugins.topic_checking.TopicAccessControlListPlugin": acl } });
    expect(old.config.plugins[0]?.options["subscribe"]).toEqual({ a: ["${NAME}"] });
  });
});

describe("includes", () => {
  const files: Record<string, string> = {
    "/c/main.yaml": "include: [parts/a.yaml]\nlimits: { max_inflight: 2 }\nlisteners: { b: { bind: ':2' } }\n",
    "/c/parts/a.yaml":
      "include: [b.yaml]\nlimits: { max_inflight: 1, receive_maximum: 5 }\nlisteners: { a: { bind: ':1' } }\n",
    "/c/parts/b.yaml": "plugins: { token: { file: tokens } }\nlog: { level: debug }\n",
    "/c/loop.yaml": "include: [loop2.yaml]\n",
    "/c/loop2.yaml": "include: [loop.yaml]\n",
    "/c/lost.yaml": "wrenmq: 1\ninclude:\n  - nowhere.yaml\n",
    "/c/bad.yaml": "include: [parts/bad.yaml]\n",
    "/c/parts/bad.yaml": "log:\n  level: loud\n",
  };
  const readFile = (name: string): string => {
    const text = files[name];
    if (text === undefined) throw Object.assign(new Error("missing"), { code: "ENOENT" });
    return text;
  };
  const options = (file: string): ParseOptions => ({ file: resolve("/c", file), readFile });
  const load = (file: string) => config(files[`/c/${file}`] ?? "", options(file));
  test("the including file wins, mappings are merged, paths belong to the file that says them", () => {
    const loaded = load("main.yaml");
    expect(loaded.limits).toMatchObject({ maxInflight: 2, receiveMaximum: 5 });
    expect(loaded.listeners.map((each) => each.name)).toEqual(["a", "b"]);
    expect(loaded.plugins[0]?.options).toMatchObject({ file: "/c/parts/tokens" });
    expect(loaded.log.level).toBe("debug");
    expect(loaded.source).toBe("/c/main.yaml");
  });
  test("circles, missing files and mistakes inside are named", () => {
    const message = (file: string) => mistakes(files[`/c/${file}`] ?? "", options(file)).message;
    expect(message("loop.yaml")).toBe(
      "/c/loop2.yaml:1:11: include.0: includes itself: /c/loop.yaml → /c/loop2.yaml → /c/loop.yaml",
    );
    expect(message("lost.yaml")).toBe(
      "/c/lost.yaml:3:5: include.0: cannot read /c/nowhere.yaml: no such file or directory",
    );
    expect(message("bad.yaml")).toMatch(/^\/c\/parts\/bad.yaml:2:10: log.level: expected/);
  });
});

test("dollar_topics: allowed natively, refused in configurations of aMQTT and hbmqtt", () => {
  const of = (text: string): string => parseConfig(text, { environment: {} }).config.dollarTopics;
  expect(of("wrenmq: 1\n")).toBe("allow");
  expect(of("wrenmq: 1\ndollar_topics: refuse\n")).toBe("refuse");
  expect(of("listeners: { default: { type: tcp, bind: 127.0.0.1:1883 } }\nauth: { allow-anonymous: true }\n")).toBe(
    "refuse",
  );
  for (const value of ["no", "Refuse", "[refuse]", "{}", "1"]) {
    const { errors } = inspectText(`wrenmq: 1\ndollar_topics: ${value}\n`);
    expect(errors.map(({ line, key, message }) => [line, key, message])).toEqual([
      [2, "dollar_topics", expect.stringMatching(/^expected allow or refuse, got /) as string],
    ]);
  }
});
