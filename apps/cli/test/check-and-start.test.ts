// `config check`, a start and a reload look at the same things: what one of them says of a mistake, the others say, too.
import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../src/main.ts";
import { startBroker } from "./support/broker-process.ts";
import { makeCertificate } from "./support/certificate.ts";
import { runCommand } from "./support/command.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wrenmq-test-"));
  const write = (name: string, text: string | Uint8Array) => writeFile(join(folder, name), text);
  await makeCertificate(folder);
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await write("other.key", ec.privateKey.export({ type: "pkcs8", format: "pem" }));
  await write("ec.pub", ec.publicKey.export({ type: "spki", format: "pem" }));
  await write(
    "locked.key",
    ec.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "right" }),
  );
  await write("text", "hello\n");
  await write("empty", "");
  await write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  await write("broken.crl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
  await write("acl", "topic read a\n\nuser ada\ntopic writes/#/b\n");
  await write("tokens", '{"id":1}\n');
  await write(
    "plugin.mjs",
    "export default () => ({ name: 'x', setup: () => ({}), check: () => [{ option: 'colour', message: 'no red' }] })",
  );
  await write(
    "throws.mjs",
    "export default () => ({ name: 'x', setup: () => ({}), check() { throw new Error('no luck'); } })",
  );
  await write(
    "silent.mjs",
    "export default () => ({ name: 'x', setup: () => ({}), check: () => new Promise(() => {}) })",
  );
  await write("no-plugin.mjs", "export const a = 1;");
  await mkdir(join(folder, "folder"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const TLS = "certificate_file: server.crt, key_file: server.key";
const tls = (more: string): string => `listeners:\n  a:\n    type: tls\n    bind: 127.0.0.1:0\n    tls: { ${more} }\n`;
const plugin = (entry: string, more = ""): string =>
  `listeners: { default: { bind: "127.0.0.1:0" } }\n${more}plugins:\n  ${entry}\n`;
const admin = (options: string): string => plugin("anonymous: {}", `admin: { bind: "127.0.0.1:0"${options} }\n`);
const amqtt = (options: string): string =>
  `listeners:\n  default: { type: tcp, bind: 127.0.0.1:0, ssl: on, ${options} }\n`;

/** The configuration with a mark before what is wrong in it, the key, what the line says. */
const MISTAKES: Readonly<Record<string, readonly [string, string, string]>> = {
  "a certificate that is not there": [
    tls("certificate_file: ^none, key_file: server.key"),
    "listeners.a.tls.certificate_file",
    "none: no such file",
  ],
  "a folder for a certificate": [
    tls("certificate_file: ^folder, key_file: server.key"),
    "listeners.a.tls.certificate_file",
    "folder: it is a folder",
  ],
  "a device for a certificate": [
    tls("certificate_file: ^/dev/zero, key_file: server.key"),
    "listeners.a.tls.certificate_file",
    "/dev/zero: it is not a regular file",
  ],
  "a text for a certificate": [
    tls("certificate_file: ^text, key_file: server.key"),
    "listeners.a.tls.certificate_file",
    "there is no certificate (PEM) in ",
  ],
  "a broken certificate": [
    tls("certificate_file: ^broken.pem, key_file: server.key"),
    "listeners.a.tls.certificate_file",
    "certificate 1 in ",
  ],
  "a text for a key": [
    tls("certificate_file: server.crt, key_file: ^text"),
    "listeners.a.tls.key_file",
    "there is no readable private key (PEM) in ",
  ],
  "a key of another certificate": [
    tls("certificate_file: server.crt, key_file: ^other.key"),
    "listeners.a.tls.key_file",
    "does not belong to the certificate in ",
  ],
  "an encrypted key without its passphrase": [
    tls("certificate_file: server.crt, key_file: ^locked.key"),
    "listeners.a.tls.key_file",
    "is encrypted: it needs its passphrase",
  ],
  "a wrong passphrase": [
    tls("certificate_file: server.crt, key_file: ^locked.key, key_passphrase: wrong"),
    "listeners.a.tls.key_file",
    "there is no key that the passphrase opens in ",
  ],
  "require_certificate without an authority": [
    tls(`${TLS}, require_certificate: ^true`),
    "listeners.a.tls.require_certificate",
    "there is no authority to check clients' certificates with (ca_file, ca_path or ca_data)",
  ],
  "request_certificate without an authority": [
    tls(`${TLS}, request_certificate: ^true`),
    "listeners.a.tls.request_certificate",
    "there is no authority",
  ],
  "an authority that is broken": [tls(`${TLS}, ca_file: ^broken.pem`), "listeners.a.tls.ca_file", "certificate 1 in "],
  "an empty file for an authority": [
    tls(`${TLS}, ca_file: ^empty`),
    "listeners.a.tls.ca_file",
    "there is no certificate (PEM) in ",
  ],
  "a text for an authority": [tls(`${TLS}, ca_data: ^hello`), "listeners.a.tls.ca_data", "no such file"],
  "a broken text after a good file": [
    tls(`${TLS}, ca_file: server.crt, ca_data: ^"-----BEGIN CERTIFICATE-----"`),
    "listeners.a.tls.ca_data",
    "certificate 1 cannot be read: it has no end",
  ],
  "a folder without certificates": [
    tls(`${TLS}, ca_path: ^folder`),
    "listeners.a.tls.ca_path",
    "there is no certificate (*.pem, *.crt, *.cer) in the folder ",
  ],
  "a broken revocation list": [
    tls(`${TLS}, crl_file: ^broken.crl`),
    "listeners.a.tls.crl_file",
    "revocation list 1 in ",
  ],
  "ciphers that do not exist": [tls(`${TLS}, ciphers: ^NONSENSE`), "listeners.a.tls.ciphers", "no cipher match"],
  "a broken certificate for one host name": [
    tls(`${TLS}, sni: [{ server_name: b.example, certificate_file: server.crt, key_file: ^text }]`),
    "listeners.a.tls.sni.0.key_file",
    "there is no readable private key",
  ],
  "aMQTT's certfile": [
    amqtt("certfile: ^text, keyfile: server.key"),
    "listeners.default.certfile",
    "there is no certificate (PEM) in ",
  ],
  "aMQTT's cafile": [
    amqtt("certfile: server.crt, keyfile: server.key, cafile: ^broken.pem"),
    "listeners.default.cafile",
    "certificate 1 in ",
  ],
  "a password file that is none": [
    plugin("password-file: { file: ^text }"),
    "plugins.password-file.file",
    'text: line 1: expected "user:hash"',
  ],
  "a password file that is a folder": [
    plugin("password-file: { file: ^folder }"),
    "plugins.password-file.file",
    "folder: it is a folder",
  ],
  "an access list with a mistake": [
    plugin("acl: { file: ^acl }"),
    "plugins.acl.file",
    'acl: line 4: "writes/#/b" is no topic filter',
  ],
  "a SCRAM file that is none": [plugin("scram: { file: ^text }"), "plugins.scram.file", "text: line 1: expected "],
  "a file of tokens that is none": [
    plugin("token: { file: ^tokens }"),
    "plugins.token.file",
    "tokens: line 1: expected a JSON object",
  ],
  "a public key that is none": [
    plugin("jwt: { algorithms: [RS256], public_key_file: ^text }"),
    "plugins.jwt.public_key_file",
    "text: there is no public key or certificate in it (PEM)",
  ],
  "a public key of another kind": [
    plugin("jwt: { algorithms: [RS256], public_key_file: ^ec.pub }"),
    "plugins.jwt.public_key_file",
    "ec.pub: the key is of the type ec (prime256v1), which does not go with RS256",
  ],
  "keys at what is no URL": [
    plugin("jwt: ^{ algorithms: [RS256], jwks_url: nowhere }"),
    "plugins.jwt.jwks_url",
    "expected a URL",
  ],
  "a directory's authority that is none": [
    plugin(
      "ldap: { server: 'ldap://127.0.0.1', base_dn: o=a, user_attribute: uid, bind_dn: cn=a, bind_password: b, ca_file: ^text }",
    ),
    "plugins.ldap.ca_file",
    "text: there is no certificate in it (PEM)",
  ],
  "a database that is none": [
    plugin("sql: { connection: ^'sqlite:///FOLDER/text' }"),
    "plugins.sql.connection",
    "text: it is not an SQLite database",
  ],
  "a database of shadows that is none": [
    plugin("shadows: { connection: ^'sqlite:///FOLDER/text' }"),
    "plugins.shadows.connection",
    "text: it is not an SQLite database",
  ],
  "a plugin that finds a mistake": [plugin("own: { use: ./plugin.mjs, colour: ^red }"), "plugins.own.colour", "no red"],
  "a plugin whose check fails": [plugin("own: ^{ use: ./throws.mjs }"), "plugins.own", "no luck"],
  "a plugin whose check has no end": [
    plugin("own: ^{ use: ./silent.mjs }", "plugin_timeout: 100ms\n"),
    "plugins.own",
    "its check did not answer within 100 ms",
  ],
  "a module that is no plugin": [
    plugin("own: { use: ^./no-plugin.mjs }"),
    "plugins.own.use",
    "exports a but no default",
  ],
  "a package that is not there": [
    plugin("own: { use: ^no-such-package-at-all }"),
    "plugins.own.use",
    'there is no package "no-such-package-at-all"',
  ],
  "tokens of the admin API": [
    admin(", tokens_file: ^tokens"),
    "admin.tokens_file",
    "tokens: line 1: expected a JSON object",
  ],
  "the certificate of the admin API": [
    admin(", tls: { certificate_file: ^text, key_file: server.key }"),
    "admin.tls.certificate_file",
    "there is no certificate (PEM) in ",
  ],
};

const linesOf = (stderr: string, before: string): string[] =>
  stderr.split("\n").flatMap((line) => (line.startsWith(before) ? [line.slice(before.length)] : []));

/** In this process: a configuration with a mistake opens nothing. */
async function run(...words: string[]): Promise<{ code: number; stderr: string }> {
  let stderr = "";
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  try {
    return { code: await main(words), stderr };
  } finally {
    spy.mockRestore();
  }
}

describe("config check and start say the same of", () => {
  test.each(Object.entries(MISTAKES))("%s", async (name, [marked, key, message]) => {
    const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.yaml`);
    const before = marked.slice(0, marked.indexOf("^")).split("\n");
    const place = `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    await writeFile(file, marked.replace("^", "").replace("FOLDER", folder));
    const check = await run("config", "check", file);
    const start = await run("start", "-c", file);
    expect([check.code, start.code]).toEqual([1, 1]);
    const [first = "", ...others] = linesOf(check.stderr, "error: ");
    expect(first).toContain(`${file}:${place}: ${key}: `);
    expect(first).toContain(message);
    expect(first).not.toMatch(/\btls\.\w+\[|\bcaPath\b|ENOENT|error:0/);
    expect(others).toEqual([]);
    expect(linesOf(start.stderr, "wrenmq: ")).toEqual([first]);
  });

  test("several mistakes, of which start says the first in the order of the file", async () => {
    const file = join(folder, "several.yaml");
    await writeFile(file, `plugins: { acl: { file: acl }, scram: { file: text } }\n${tls(`${TLS}, ca_file: empty`)}`);
    const [first = "", ...others] = linesOf((await run("config", "check", file)).stderr, "error: ");
    expect([first, ...others].map((line) => line.slice(file.length, file.length + 6))).toEqual([
      ":1:25:",
      ":1:47:",
      ":6:73:",
    ]);
    expect(linesOf((await run("start", "-c", file)).stderr, "wrenmq: ")).toEqual([
      `${first} (and 2 more: wrenmq config check)`,
    ]);
  });
});

test("a reload says it, too, and nothing has changed", async () => {
  const file = join(folder, "reload.yaml");
  const write = (more: string): Promise<void> => writeFile(file, tls(TLS) + more);
  await write("plugins: { anonymous: {} }\n");
  const broker = startBroker(["-c", file], { cwd: folder });
  await broker.port("a");
  for (const [mistake, key] of [
    ["plugins: { anonymous: {}, acl: { file: acl } }\n", "plugins.acl.file"],
    ["plugins: { anonymous: {}, password-file: { file: text } }\n", "plugins.password-file.file"],
    ["  b: { type: tls, bind: 127.0.0.1:0, tls: { certificate_file: text, key_file: text } }\n", "listeners.b.tls"],
  ] as const) {
    await write(mistake);
    const { stderr } = await runCommand(["config", "check", file], { cwd: folder });
    const [said = ""] = linesOf(stderr, "error: ");
    expect(said).toContain(`: ${key}`);
    const from = broker.lines.length;
    broker.child.kill("SIGHUP");
    const line = await broker.line(({ msg }) => msg?.includes("was not reloaded") === true, from);
    expect(line["reason"]).toContain(said);
  }
  await write("plugins: { anonymous: {}, taboo: {} }\n");
  broker.child.kill("SIGHUP");
  await broker.line(({ msg, pluginsAdded }) => msg === "configuration reloaded" && String(pluginsAdded) === "taboo");
});

test("several workers: the supervisor says it before any of them starts", async () => {
  const file = join(folder, "workers.yaml");
  await writeFile(file, plugin("acl: { file: acl }", "workers: 2\n"));
  const { code, stderr } = await runCommand(["start", "-c", file], { cwd: folder });
  expect([code, linesOf(stderr, "wrenmq: ")]).toEqual([1, [expect.stringContaining("plugins.acl.file: ") as string]]);
});

test("config check gives advice on contents that can be used", async () => {
  const file = join(folder, "advice.yaml");
  const hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$ZGlnZXN0";
  await writeFile(join(folder, "users"), `\ufeffada:${hash}\r\nbob:plain\r\n`);
  await writeFile(file, plugin("password-file: { file: users }"));
  const { code, stderr } = await runCommand(["config", "check", file], { cwd: folder });
  expect([code, linesOf(stderr, "warning: ")]).toEqual([
    0,
    [
      `${file}:3:26: plugins.password-file.file: ${join(folder, "users")}: line 2: the hash of user "bob" is of no known kind`,
    ],
  ]);
});

test("a plugin that keeps the process busy does not keep config check from ending", async () => {
  const file = join(folder, "busy.yaml");
  await writeFile(
    join(folder, "busy.mjs"),
    "setInterval(() => {}, 1000);\nexport default () => ({ name: 'x', setup: () => ({}) });",
  );
  await writeFile(file, plugin("own: { use: ./busy.mjs }"));
  expect(await runCommand(["config", "check", "-q", file], { cwd: folder })).toMatchObject({ code: 0, stdout: "" });
});
