import { X509Certificate } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parsePasswordFile } from "@wrenmq/auth-password";
import { verifyPassword } from "@wrenmq/password-hash";
import mqtt from "mqtt";
import { describe, expect, test } from "vitest";
import { type Credentials, issueAuthority, issueDevice } from "../src/commands/creds/issue.ts";
import { startBroker } from "./support/broker-process.ts";
import { makeCertificate } from "./support/certificate.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";

describe("pub and sub", () => {
  test("a message, lines, a file, standard input and nothing", async () => {
    const broker = startBroker(["-p", "0"]);
    const url = await broker.address();
    const subscriber = await mqtt.connectAsync(url);
    await subscriber.subscribeAsync("t/#", { qos: 2 });
    const seen: string[] = [];
    const all = new Promise<void>((resolve) => {
      subscriber.on("message", (topic, payload, { qos }) => {
        seen.push(`${topic} ${qos} ${JSON.stringify(payload.toString())}`);
        if (seen.length === 7) resolve();
      });
    });
    const file = join(await temporaryFolder(), "lines.txt");
    await writeFile(file, "one\ntwo\n");
    const pub = (words: string[], input = "") => runCommand(["pub", "--url", url, ...words], { input });
    const good = { code: 0, stdout: "", stderr: "" };
    expect(await pub(["-t", "t/m", "-m", "mm", "-q", "2"])).toEqual(good);
    expect(await pub(["-t", "t/l", "-l", "-q", "1"], "x\ny\n")).toEqual(good);
    expect(await pub(["-t", "t/f", "-f", file, "-q", "1"])).toEqual(good);
    expect(await pub(["-t", "t/s", "-s", "-q", "1", "--protocol", "5"], "all\nof it")).toEqual(good);
    expect(await pub(["-t", "t/n", "-n", "-q", "1"])).toEqual(good);
    await all;
    expect(seen).toEqual([
      't/m 2 "mm"',
      't/l 1 "x"',
      't/l 1 "y"',
      't/f 1 "one"',
      't/f 1 "two"',
      't/s 1 "all\\nof it"',
      't/n 1 ""',
    ]);
    subscriber.end(true);
  });

  test("over TLS the certificate is verified", async () => {
    const folder = await temporaryFolder();
    const { certificate, key } = await makeCertificate(folder);
    const file = join(folder, "wrenmq.yaml");
    const tls = `{ certificate_file: ${certificate}, key_file: ${key} }`;
    await writeFile(
      file,
      `listeners: { s: { type: tls, bind: 127.0.0.1:0, tls: ${tls} } }\nplugins: { anonymous: {} }\n`,
    );
    const broker = startBroker(["-c", file]);
    const url = await broker.address("s");
    const words = ["pub", "--url", url, "-t", "a", "-m", "b"];
    const refused = await runCommand(words);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^wrenmq: cannot connect to 127\.0\.0\.1:\d+: [^\n]*certificate[^\n]*\n$/);
    expect((await runCommand([...words, "--ca-file", certificate])).code).toBe(0);
    expect((await runCommand([...words, "--insecure"])).code).toBe(0);
  });

  test.each([
    ["no broker", ["pub", "--url", "mqtt://127.0.0.1:1", "-t", "a", "-n"], 1, "127.0.0.1:1"],
    ["no URL", ["sub", "--url", "http://x", "-t", "a"], 2, "http://x"],
    ["no topic", ["sub"], 2, "--topic"],
    ["two messages", ["pub", "-t", "a", "-m", "x", "-n"], 2, "--no-message"],
    ["half a will", ["pub", "-t", "a", "-n", "--will-topic", "w"], 2, "--will-message"],
    ["a QoS that is none", ["pub", "-t", "a", "-n", "-q", "3"], 2, "0, 1 or 2"],
  ])("%s: one line", async (_what, words, code, word) => {
    const done = await runCommand(words);
    expect(done.stderr).toMatch(/^wrenmq: [^\n]+\n$/);
    expect(done.stderr).toContain(word);
    expect(done.code).toBe(code);
  });

  test("a client's configuration of aMQTT", async () => {
    const broker = startBroker(["-p", "0"]);
    const folder = await temporaryFolder();
    const file = join(folder, "client.yaml");
    await writeFile(
      file,
      `keep-alive: 5\ndefault_qos: 1\ntopics:\n  a/b: { retain: on }\nbroker:\n  uri: ${await broker.address()}\n`,
    );
    expect(await runCommand(["pub", "-c", file, "-t", "a/b", "-m", "kept"])).toMatchObject({ code: 0, stderr: "" });
    expect((await runCommand(["sub", "-c", file, "-t", "a/b", "-n", "1"])).stdout).toBe("kept\n");
    await writeFile(file, "keep_alve: 5\n");
    const wrong = await runCommand(["pub", "-c", file, "-t", "a/b", "-n"]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain(`${file}: keep_alve: unknown key`);
  });
});

test("passwd: add, change, list, remove; the broker believes the file", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "users.txt");
  expect((await runCommand(["passwd", file, "ada"], { input: "first\n" })).code).toBe(0);
  expect((await runCommand(["passwd", file, "bob", "--scheme", "mosquitto"], { input: "secret\n" })).code).toBe(0);
  expect((await runCommand(["passwd", file, "ada"], { input: "second\n" })).code).toBe(0);
  const { entries } = parsePasswordFile(await readFile(file, "utf8"));
  expect(await verifyPassword(entries.get("ada")?.hash ?? "", Buffer.from("second"))).toBe(true);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await writeFile(
    join(folder, "wrenmq.yaml"),
    "listeners: { default: { bind: 127.0.0.1:0 } }\nplugins: { password-file: { file: users.txt } }\n",
  );
  const broker = startBroker(["-c", join(folder, "wrenmq.yaml")]);
  const { host } = new URL(await broker.address());
  expect((await runCommand(["pub", "--url", `mqtt://ada:second@${host}`, "-t", "a", "-n"])).code).toBe(0);
  const refused = await runCommand(["pub", "--url", `mqtt://ada:first@${host}`, "-t", "a", "-n"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^wrenmq: cannot connect [^\n]+\n$/);
  expect((await runCommand(["passwd", "-D", file, "ada"])).code).toBe(0);
  expect((await runCommand(["passwd", "--list", file])).stdout).toBe("bob\n");
  expect((await runCommand(["passwd", "-D", file, "ada"])).stderr).toMatch(/^wrenmq: [^\n]*ada[^\n]*\n$/);
  expect((await runCommand(["passwd", file, "eve"], { input: "\n" })).code).toBe(1);
});

test("token: created, accepted, revoked", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "tokens.txt");
  const made = await runCommand(["token", "create", file, "meter", "--publish", "m/#"]);
  expect(made.code).toBe(0);
  const id = made.stderr.trim().split(" ")[1] ?? "";
  await writeFile(
    join(folder, "wrenmq.yaml"),
    "listeners: { default: { bind: 127.0.0.1:0 } }\nplugins: { token: { file: tokens.txt } }\n",
  );
  const broker = startBroker(["-c", join(folder, "wrenmq.yaml")]);
  const { host } = new URL(await broker.address());
  const url = `mqtt://meter:${made.stdout.trim()}@${host}`;
  expect(await runCommand(["pub", "--url", url, "-t", "m/1", "-m", "x", "-q", "1"])).toMatchObject({
    code: 0,
    stderr: "",
  });
  expect((await runCommand(["token", "list", file])).stdout).toContain(`${id}\tmeter`);
  expect((await runCommand(["token", "revoke", file, id])).code).toBe(0);
  expect((await runCommand(["token", "list", file])).stdout).toBe("");
});

describe("config", () => {
  test("check prints what holds, with secrets masked, and what is risky", async () => {
    const file = join(await temporaryFolder(), "c.yaml");
    await writeFile(
      file,
      'listeners: { a: { bind: "0.0.0.0:1883" } }\nplugins: { anonymous: {}, jwt: { algorithms: [HS256], secret_key: hidden-away } }\n',
    );
    const { code, stdout, stderr } = await runCommand(["config", "check", file]);
    expect(code).toBe(0);
    expect(stdout).toContain("bind: 0.0.0.0:1883");
    expect(stdout).not.toContain("hidden-away");
    expect(stderr).toContain("warning: ");
    expect(stderr).toContain("anonymous clients may connect from other machines");
  });

  test("check names the users of a password file whose hashes are slow or weak", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "c.yaml");
    await writeFile(join(folder, "users.txt"), `ada:$6$rounds=656000$salt$${"x".repeat(86)}\n`);
    await writeFile(file, "plugins:\n  staff: { use: password-file, file: users.txt }\n");
    const { code, stderr } = await runCommand(["config", "check", "-q", file]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^warning: \S+c\.yaml:2:\d+: plugins\.staff\.file: \S+users\.txt: user ada \(line 1\): SHA-512 crypt with 656,000/m,
    );
  });

  test("check fails when a file that is named is missing", async () => {
    const file = join(await temporaryFolder(), "c.yaml");
    await writeFile(file, "plugins: { password-file: { file: none.txt } }\n");
    const { code, stderr } = await runCommand(["config", "check", file]);
    expect(code).toBe(1);
    expect(stderr).toContain("none.txt");
  });

  test("check prints every mistake in the order of the file, those of files that are named too", async () => {
    const file = join(await temporaryFolder(), "c.yaml");
    await writeFile(
      file,
      `listeners:
  a: { bind: ":1883" }
  b: { bnd: 1884 }
plugins:
  anonymous:
  password-file: { file: none.txt }
  acl: { publish: 1 }
limits: { max_inflight: -1 }
`,
    );
    const { code, stdout, stderr } = await runCommand(["config", "check", file]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n").map((line) => /^(error: .*?:\d+:\d+: [\w.-]+|.*)/.exec(line)?.[1])).toEqual([
      `error: ${file}:3:8: listeners.b.bnd`,
      `error: ${file}:6:26: plugins.password-file.file`,
      `error: ${file}:7:19: plugins.acl.publish`,
      `error: ${file}:8:25: limits.max_inflight`,
      `wrenmq: ${file} cannot be used: 4 mistakes`,
      "",
    ]);
  });

  test("migrate: a Python plugin is marked, and comments are kept", async () => {
    const file = join(await temporaryFolder(), "old.yaml");
    await writeFile(file, "# ours\nlisteners: { default: { bind: '1883' } }\nplugins:\n  our.Plugin: { a: 1 }\n");
    const { code, stdout, stderr } = await runCommand(["config", "migrate", file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# ours$/m);
    expect(stdout).toMatch(/# our.Plugin has no counterpart: [^\n]+\n {2}plugin:\n {4}use: .\/plugin.js\n {4}a: 1\n/);
    expect(stderr).toContain("our.Plugin has no counterpart");
    await writeFile(`${file}.new`, stdout);
    const started = await runCommand(["start", "-c", `${file}.new`]);
    expect([started.code, started.stderr]).toEqual([1, expect.stringContaining("plugin.js") as string]);
  });

  test("migrate: a file of aMQTT becomes one that starts and means the same", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "amqtt.yaml");
    await writeFile(
      file,
      "listeners:\n  default:\n    type: tcp\n    bind: 127.0.0.1:0\nauth:\n  allow-anonymous: true\nplugins: [auth_anonymous]\n",
    );
    const migrated = await runCommand(["config", "migrate", file]);
    expect(migrated.code).toBe(0);
    await writeFile(join(folder, "native.yaml"), migrated.stdout);
    expect((await runCommand(["config", "check", "-q", join(folder, "native.yaml")])).code).toBe(0);
    for (const each of [file, join(folder, "native.yaml")]) {
      const broker = startBroker(["-c", each]);
      expect((await runCommand(["pub", "--url", await broker.address(), "-t", "a", "-n"])).code).toBe(0);
    }
  });

  test("schema is the published one", async () => {
    const { stdout } = await runCommand(["config", "schema"]);
    const published = await readFile(new URL("../../../packages/config/wrenmq.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(stdout)).toEqual(JSON.parse(published));
  });
});

test("explain names the plugin and the rule, and its exit code is the answer", async () => {
  const file = join(await temporaryFolder(), "c.yaml");
  await writeFile(file, "plugins: { anonymous: { named_users: allow }, acl: { publish: { ada: [a/#] } } }\n");
  const yes = await runCommand(["explain", "-c", file, "-u", "ada", "a/b"]);
  expect(yes).toMatchObject({ code: 0, stderr: "" });
  expect(yes.stdout).toMatch(/^acl: allow \(.+\)\nallowed\n$/);
  const no = await runCommand(["explain", "-c", file, "-u", "ada", "b"]);
  expect(no.code).toBe(1);
  expect(no.stdout).toMatch(/^acl: deny.*\ndenied\n$/);
});

test("explain tells two instances of one plugin apart, and so does a mistake in the options of one", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "c.yaml");
  const mine = (topic: string): string => `{ use: acl, publish: { ada: [${topic}] } }`;
  await writeFile(file, `plugins: { anonymous: , house: ${mine("a/#")}, garden: ${mine("b/#")} }\n`);
  const { stdout } = await runCommand(["explain", "-c", file, "-u", "ada", "a/b"]);
  expect(stdout).toMatch(/^house: allow .*\ngarden: deny.*\ndenied\n$/);
  await writeFile(file, "plugins: { strict: { use: guard, maximum_delay: 1h } }\n");
  expect((await runCommand(["explain", "-c", file, "a"])).stderr).toMatch(
    /^wrenmq: \S+c\.yaml:1:\d+: plugins\.strict\.maximum_delay: [^\n]+\n$/,
  );
});

describe("creds", () => {
  test("an authority, a server and a device, as aMQTT makes them", async () => {
    const folder = await temporaryFolder();
    const out = ["--output-dir", folder, "--country", "DE", "--org-name", "Wren"];
    const by = ["--ca-key", join(folder, "ca.key"), "--ca-crt", join(folder, "ca.crt")];
    const place = ["--state", "BY", "--locality", "Ulm"];
    expect(await runCommand(["creds", "ca", ...out, ...place, "--cn", "Root"])).toMatchObject({ code: 0, stderr: "" });
    expect((await runCommand(["creds", "server", ...out, ...by, "--cn", "mq.example"])).code).toBe(0);
    const device = ["creds", "device", ...out, ...by, "--device-id", "d1", "--uri", "example.org"];
    expect((await runCommand(device)).code).toBe(0);
    const read = async (name: string) => new X509Certificate(await readFile(join(folder, name)));
    const ca = await read("ca.crt");
    expect(ca.ca).toBe(true);
    expect(ca.subject).toBe("C=DE\nST=BY\nL=Ulm\nO=Wren\nCN=Root");
    expect(ca.publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096);
    expect(days(ca)).toBe(3650);
    const server = await read("server.crt");
    expect(server.subjectAltName).toBe("DNS:mq.example, IP Address:127.0.0.1");
    expect(server.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(days(server)).toBe(365);
    expect(server.verify(ca.publicKey) && server.checkIssued(ca)).toBe(true);
    expect((await read("d1.crt")).subjectAltName).toBe("URI:spiffe://example.org/device/d1, DNS:d1.local");
    expect((await stat(join(folder, "d1.key"))).mode & 0o777).toBe(0o600);
    const again = await runCommand(device);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("--force");
  }, 120_000);

  test("a device's certificate opens a listener that asks for one", async () => {
    const folder = await temporaryFolder();
    const { certificate, key } = await makeCertificate(folder);
    const authority: Credentials = await issueAuthority({ organization: "o", commonName: "devices" }, 2048);
    const device = await issueDevice(authority, { organization: "o", commonName: "d1" }, [
      { type: "url", value: "spiffe://x/device/d1" },
    ]);
    for (const [name, text] of [
      ["ca.crt", authority.certificate],
      ["d1.crt", device.certificate],
      ["d1.key", device.key],
    ] as const) {
      await writeFile(join(folder, name), text);
    }
    const tls = `{ certificate_file: ${certificate}, key_file: ${key}, ca_file: ca.crt, require_certificate: true }`;
    await writeFile(
      join(folder, "c.yaml"),
      `listeners: { s: { type: tls, bind: 127.0.0.1:0, tls: ${tls} } }\nplugins: { x509: { identity: spiffe, uri_domain: x } }\n`,
    );
    const broker = startBroker(["-c", join(folder, "c.yaml")]);
    const words = ["pub", "--url", await broker.address("s"), "-t", "a", "-n", "-q", "1", "--ca-file", certificate];
    const shown = ["--cert-file", join(folder, "d1.crt"), "--key-file", join(folder, "d1.key")];
    expect(await runCommand([...words, ...shown, "-i", "d1"])).toMatchObject({ code: 0, stderr: "" });
    expect((await runCommand([...words, ...shown, "-i", "d2"])).code).toBe(1);
    expect((await runCommand(words)).code).toBe(1);
  });
});

test("the user name can be that of the certificate", async () => {
  const folder = await temporaryFolder();
  const { certificate, key } = await makeCertificate(folder);
  const authority = await issueAuthority({ organization: "o", commonName: "devices" }, 2048);
  const device = await issueDevice(authority, { organization: "o", commonName: "meter" }, [
    { type: "dns", value: "m" },
  ]);
  await writeFile(join(folder, "ca.crt"), authority.certificate);
  await writeFile(join(folder, "m.crt"), device.certificate);
  await writeFile(join(folder, "m.key"), device.key);
  const more = "ca_file: ca.crt, require_certificate: true, user_name_from: common-name";
  const tls = `{ certificate_file: ${certificate}, key_file: ${key}, ${more} }`;
  const acl = "plugins: { anonymous: {}, acl: { publish: { meter: [m/#] } } }";
  const listeners = `{ s: { type: tls, bind: 127.0.0.1:0, tls: ${tls} }, plain: { bind: 127.0.0.1:0 } }`;
  await writeFile(join(folder, "c.yaml"), `listeners: ${listeners}\n${acl}\n`);
  const broker = startBroker(["-c", join(folder, "c.yaml")]);
  const shown = ["--ca-file", certificate, "--cert-file", join(folder, "m.crt"), "--key-file", join(folder, "m.key")];
  const words = ["pub", "--url", await broker.address("s"), ...shown, "-n", "-q", "1", "--protocol", "5"];
  expect(await runCommand([...words, "-t", "m/1"])).toMatchObject({ code: 0, stderr: "" });
  expect((await runCommand([...words, "-t", "n/1"])).stderr).toMatch(/^wrenmq: not published: [^\n]+\n$/);
  expect((await runCommand(["pub", "--url", await broker.address("plain"), "-t", "x", "-n"])).code).toBe(0);
});

test("users and topics in a database, which the broker then asks", async () => {
  const folder = await temporaryFolder();
  const db = ["-d", "sqlite", "-f", join(folder, "auth.db")];
  const run = (words: string[], input = "") => runCommand(words, { input });
  expect(await run(["users", ...db, "sync"])).toMatchObject({ code: 0, stderr: "" });
  expect((await run(["users", ...db, "add", "-c", "ada"], "one\n")).code).toBe(0);
  expect((await run(["users", ...db, "pwd", "-c", "ada"], "two\n")).code).toBe(0);
  expect((await run(["users", ...db, "add", "-c", "bob"], "b\n")).code).toBe(0);
  expect((await run(["users", ...db, "rm", "-c", "bob"])).code).toBe(1);
  expect((await run(["users", ...db, "rm", "-c", "bob", "--yes"])).code).toBe(0);
  expect((await run(["users", ...db, "list"])).stdout).toBe("ada\n");
  expect((await run(["topics", ...db, "add", "a/#", "-c", "ada", "-a", "publish"])).code).toBe(0);
  expect((await run(["topics", ...db, "list"])).stdout).toBe("ada publish a/#\n");
  expect((await run(["topics", ...db, "rm", "b", "-c", "ada", "-a", "publish"])).stderr).toMatch(/^wrenmq: [^\n]+\n$/);
  const connection = `sqlite:///${join(folder, "auth.db")}`;
  await writeFile(
    join(folder, "c.yaml"),
    `listeners: { default: { bind: 127.0.0.1:0 } }\nplugins: { sql: { connection: "${connection}" } }\n`,
  );
  const broker = startBroker(["-c", join(folder, "c.yaml")]);
  const { host } = new URL(await broker.address());
  expect((await run(["pub", "--url", `mqtt://ada:two@${host}`, "-t", "a", "-n"])).code).toBe(0);
  expect((await run(["pub", "--url", `mqtt://ada:one@${host}`, "-t", "a", "-n"])).code).toBe(1);
}, 60_000);

function days(certificate: X509Certificate): number {
  return Math.round((Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000);
}
