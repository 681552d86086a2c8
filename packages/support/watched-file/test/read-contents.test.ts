// Files that are not what they should be: a careless operator's, or somebody else's.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkContents, readContents } from "../src/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, contents?: string | Uint8Array): string => {
  const path = join(folder, name);
  if (contents !== undefined) writeFileSync(path, contents);
  return path;
};
const messageOf = async (path: string, parse = (text: string): string => text): Promise<string | undefined> => {
  const [problem] = await checkContents("file", path, parse);
  return problem?.message.replace(folder, "DIR");
};

test("a byte order mark is not part of the contents", async () => {
  expect(await readContents(file("list", "\ufeffuser"), (text) => text)).toBe("user");
});

test.skipIf(process.platform === "win32")(
  "a pipe that nobody writes to is refused, without waiting for it",
  async () => {
    const pipe = file("pipe");
    execFileSync("mkfifo", [pipe]);
    expect(await messageOf(pipe)).toBe("DIR/pipe: it is not a regular file");
  },
);

test("a folder, a binary file and a circle of symbolic links are refused in one line", async () => {
  mkdirSync(file("folder"));
  symlinkSync(file("circle"), file("circle"));
  expect(await messageOf(file("folder"))).toBe("DIR/folder: it is a folder");
  expect(await messageOf(file("binary", new Uint8Array([1, 0, 2])))).toBe("DIR/binary: it is not a text file in UTF-8");
  expect(await messageOf(file("circle"))).toContain("DIR/circle");
});

test("a message that repeats the file is printable and short", async () => {
  const strange = file("strange", `\u001b[31m${"x".repeat(5_000)}`);
  const message = await messageOf(strange, (text) => {
    throw new Error(`expected a user, got ${text}`);
  });
  expect(message).toMatch(/^DIR\/strange: expected a user, got \ufffd\[31mx+\.\.\.$/);
  expect(message?.length).toBeLessThan(330);
});
