import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FileStore, makeFolder } from "../src/index.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-folder-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("folders are made with those above them; one that is there is good", () => {
  const folder = join(temporaryFolder(), "a", "b");
  makeFolder(folder);
  makeFolder(folder);
  expect(statSync(folder).isDirectory()).toBe(true);
});

test("a file in its place, or above it, is the system's error", () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  expect(() => makeFolder(file)).toThrow("EEXIST");
  expect(() => makeFolder(join(file, "below"))).toThrow("ENOTDIR");
});

test.skipIf(!existsSync("/proc/self"))("where the system makes no folder it is an error, and soon", () => {
  expect(() => makeFolder("/proc/wrenmq/data")).toThrow("ENOENT");
  const store = new FileStore({ path: "/proc/wrenmq", durability: "batch" });
  expect(() => store.open()).toThrow(expect.objectContaining({ code: "ERR_STORE_OPEN" }));
});
