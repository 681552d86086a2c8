import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addUser, listUsers, parsePasswordFile, removeUser, setPassword } from "../src/index.ts";
import { Verifier } from "../src/verifier.ts";

const cheap = { cost: 1024 };
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
  file = join(folder, "passwd");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function enters(username: string, password: string): Promise<boolean> {
  const users = parsePasswordFile(readFileSync(file, "utf8"));
  const turn = { share: "", attempt: { signal: new AbortController().signal, wait: () => () => {} } };
  const verifier = new Verifier(() => users, { remember: 0 });
  return (await verifier.check(username, new TextEncoder().encode(password), turn)) !== undefined;
}

test("users are added, changed, listed and removed; the rest of the file stays", async () => {
  await addUser(file, "a", "one", cheap);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, `# ours\n${readFileSync(file, "utf8")}`);
  await addUser(file, "b", "two", { scheme: "mosquitto", cost: 101 });
  expect(await listUsers(file)).toEqual(["a", "b"]);
  expect(await enters("a", "one")).toBe(true);
  await setPassword(file, "a", "three", { scheme: "bcrypt", cost: 4 });
  expect(await enters("a", "one")).toBe(false);
  expect(await enters("a", "three")).toBe(true);
  expect(await enters("b", "two")).toBe(true);
  await removeUser(file, "a");
  expect(await listUsers(file)).toEqual(["b"]);
  expect(readFileSync(file, "utf8")).toMatch(/^# ours\nb:\$7\$/);
  expect(readdirSync(folder)).toEqual(["passwd"]);
});

test("who is there already, or is not, is said", async () => {
  await addUser(file, "a", "one", cheap);
  await expect(addUser(file, "a", "two", cheap)).rejects.toMatchObject({ code: "ERR_USER_EXISTS" });
  await expect(setPassword(file, "b", "two", cheap)).rejects.toMatchObject({ code: "ERR_USER_UNKNOWN" });
  await expect(removeUser(file, "b")).rejects.toMatchObject({ code: "ERR_USER_UNKNOWN" });
  await expect(listUsers(join(folder, "no"))).rejects.toMatchObject({ code: "ENOENT" });
});

test.each(["", "a:b", "#a", " a", "a ", "a\nroot:x", "a\u0000"])("no user may be called %j", async (name) => {
  await expect(addUser(file, name, "x", cheap)).rejects.toMatchObject({ code: "ERR_USER_NAME" });
});
