// What the system, a database or OpenSSL says does not reach a user as it is: one line, with the file that the user named.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "./support/command.ts";

const RAW =
  /\b(E[A-Z]{4,}|ERR_\w+|SQL\w*Error|syscall|routines|node:|errno)\b|error:[0-9A-F]{6,}|\n {4}at |unexpected error/;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wrenmq-test-"));
  await mkdir(join(folder, "folder"));
  await writeFile(
    join(folder, "text"),
    "not a database, not a store, not a certificate; and long enough to have a header\n",
  );
  await writeFile(join(folder, "empty"), "");
  await writeFile(
    join(folder, "old.yaml"),
    "listeners:\n  default:\n    type: tcp\n    bind: 127.0.0.1:0\nauth:\n  allow-anonymous: true\n",
  );
  await writeFile(join(folder, "bad.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sqlite = (file: string): string[] => ["users", "-d", "sqlite", "-f", file];
const pub = ["pub", "-h", "127.0.0.1", "-p", "1", "-t", "a", "-n"];
const server = ["creds", "server", "--country", "DE", "--org-name", "o", "--cn", "c"];
const ca = ["creds", "ca", "--country", "DE", "--state", "s", "--locality", "l", "--org-name", "o", "--cn", "c"];

test.each([
  [[...sqlite("none"), "list"], "none: there is no such file"],
  [["topics", "--connection", "sqlite:///none", "list"], "none: there is no such file"],
  [[...sqlite("none"), "rm", "-c", "a", "-y"], "none: there is no such file"],
  [[...sqlite("text"), "list"], "text: it is not an SQLite database"],
  [[...sqlite("text"), "sync"], "text: it is not an SQLite database"],
  [[...sqlite("folder"), "list"], "folder: it is a folder, not a database"],
  [[...sqlite("none/a"), "sync"], "none/a: its folder does not exist"],
  [[...sqlite("empty"), "list"], "empty: a table is missing (wrenmq users sync makes it)"],
  [
    ["users", "-d", "postgresql", "-h", "127.0.0.1", "-p", "1", "list"],
    "the database 127.0.0.1:1/mqtt: nobody listens there",
  ],
  [
    ["users", "--connection", "mysql://u:secret@127.0.0.1:1/d", "list"],
    "the database 127.0.0.1:1/d: nobody listens there",
  ],
  [["config", "check", "none"], "none: cannot read the configuration: no such file"],
  [["config", "check", "folder"], "folder: cannot read the configuration: it is a folder"],
  [["config", "migrate", "none"], "none: no such file or folder"],
  [["config", "migrate", "folder"], "folder: it is a folder"],
  [["config", "migrate", "old.yaml", "-o", "text"], "text: it exists already"],
  [["config", "migrate", "old.yaml", "-o", "none/a"], "none/a: no such file or folder"],
  [["passwd", "-l", "none"], "none: no such file or folder"],
  [["passwd", "folder", "ada"], "folder: it is a folder"],
  [["token", "create", "none/a", "ada"], "none/a: no such file or folder"],
  [["token", "list", "folder"], "folder: it is a folder"],
  [["store", "check", "none"], "none"],
  [["store", "check", "text"], "text is not a folder"],
  [["start", "-p", "0", "--data", "text"], "text is not a folder"],
  [["explain", "-c", "none", "a"], "none: cannot read the configuration"],
  [server, "ca.key: no such file or folder"],
  [[...server, "--ca-key", "bad.pem", "--ca-crt", "bad.pem"], "its certificate cannot be read"],
  [[...ca, "--output-dir", "text"], "--output-dir text: it is not a folder"],
  [pub, "cannot connect to 127.0.0.1:1: nobody listens there"],
  [[...pub.slice(0, -1), "-f", "none"], "none: no such file or folder"],
  [[...pub, "--ca-file", "none"], "none: no such file or folder"],
  [[...pub, "--ca-file", "bad.pem"], "--ca-file bad.pem: the certificate in it cannot be read"],
  [[...pub, "--ca-file", "text"], "--ca-file text: there is no certificate in it (PEM)"],
  [[...pub, "--ca-path", "folder"], "--ca-path folder: there are no certificates in it"],
  [[...pub, "--cert-file", "bad.pem", "--key-file", "text"], "--cert-file bad.pem"],
  [[...pub, "--cert-file", "bad.pem"], "--cert-file and --key-file go together"],
])("%j", async (words, expected) => {
  const before = await readdir(folder);
  const { code, stdout, stderr } = await runCommand(words, { cwd: folder, input: "secret\n" });
  const said = stderr.split("\n").filter((line) => line.startsWith("wrenmq: "));
  expect(said).toEqual([expect.stringContaining(expected) as string]);
  expect(stderr + stdout).not.toMatch(RAW);
  expect(stderr).not.toContain("u:secret");
  expect(code).toBeGreaterThan(0);
  expect(await readdir(folder), "nothing is made").toEqual(before);
});

test("users sync makes the file that the others do not make", async () => {
  expect((await runCommand([...sqlite("made.db"), "sync"], { cwd: folder })).code).toBe(0);
  expect(existsSync(join(folder, "made.db"))).toBe(true);
});
