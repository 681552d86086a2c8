import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PluginContext } from "@wrenmq/plugin-api";
import { TestHost } from "@wrenmq/plugin-api/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WatchedFile } from "../src/index.ts";

let folder: string;
let file: string;
let host: TestHost;
let context: PluginContext;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
  file = join(folder, "list");
  host = await TestHost.start([]);
  context = host.contextFor("reader");
});
afterEach(() => rmSync(folder, { recursive: true }));

function parse(text: string): string[] {
  if (text.includes("!")) throw new Error("line 1: a “!” makes no sense");
  return text.trim().split("\n");
}
const errors = () => host.logs.filter(({ level }) => level === "error");

test("a change is taken over once it has settled, and announced", async () => {
  writeFileSync(file, "a\n");
  const changed = vi.fn();
  const watched = await WatchedFile.open({ file, parse, context, interval: 1000, changed });
  expect(watched.value).toEqual(["a"]);
  await watched.check();
  await watched.check();
  expect(changed).not.toHaveBeenCalled();
  writeFileSync(file, "a\nb\n");
  await watched.check();
  expect(watched.value).toEqual(["a"]);
  await watched.check();
  expect(watched.value).toEqual(["a", "b"]);
  expect(changed).toHaveBeenCalledExactlyOnceWith(["a", "b"], ["a"]);
});

test("it looks by itself at each interval", async () => {
  writeFileSync(file, "a\n");
  const watched = await WatchedFile.open({ file, parse, context, interval: 1000 });
  writeFileSync(file, "abc\n");
  await vi.waitFor(() => {
    host.advance(1000);
    expect(watched.value).toEqual(["abc"]);
  });
});

test("a bad or missing file leaves the last good contents and says why, once", async () => {
  writeFileSync(file, "a\n");
  const watched = await WatchedFile.open({ file, parse, context, interval: 0 });
  writeFileSync(file, "bad!\n");
  for (let look = 0; look < 4; look++) await watched.check();
  expect(watched.value).toEqual(["a"]);
  expect(errors()).toHaveLength(1);
  expect(errors()[0]?.fields).toMatchObject({ file, reason: expect.stringContaining("a “!” makes no sense") });
  rmSync(file);
  for (let look = 0; look < 4; look++) await watched.check();
  expect(errors()).toHaveLength(2);
  writeFileSync(file, "c\n");
  for (let look = 0; look < 2; look++) await watched.check();
  expect(watched.value).toEqual(["c"]);
});

test("a file that is bad at the start stops the start", async () => {
  const open = () => WatchedFile.open({ file, parse, context, interval: 0 });
  await expect(open()).rejects.toMatchObject({ code: "ERR_PLUGIN_START", plugin: "reader" });
  writeFileSync(file, "!");
  await expect(open()).rejects.toThrow(`plugin "reader": ${file}: line 1: a “!” makes no sense`);
});
