// The programs and configurations in documents: programs are JavaScript that this version of Node runs as it is, and print
// what their comments say; configurations have no mistake.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inspectText } from "@wrenmq/config";
import { describe, expect, onTestFinished, test } from "vitest";
import { bundle } from "./support/bundle.mjs";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));
const DOCUMENTS = ["README.md", "docs/from-amqtt.md", "packages/host/README.md"];

async function blocks(language: string): Promise<[where: string, text: string][]> {
  const found: [string, string][] = [];
  for (const document of DOCUMENTS) {
    const text = await readFile(join(root, document), "utf8");
    for (const match of text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))) {
      const line = text.slice(0, match.index).split("\n").length + 1;
      found.push([`${document}:${line}`, match[1] ?? ""]);
    }
  }
  return found;
}

/** What a program says that it prints; undefined: it does not say. */
const promised = (program: string): string[] | undefined => {
  const lines = [...program.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line]) => line ?? "");
  return lines.length === 0 ? undefined : lines;
};

describe("programs in documents", async () => {
  test.each(await blocks("js"))(
    "%s",
    async (_where, program) => {
      const folder = await mkdtemp(join(tmpdir(), "wrenmq-program-"));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      // As it is written: what is made of it below would hide syntax that this version of Node does not know.
      const written = join(folder, "written.mjs");
      await writeFile(written, program);
      await run(process.execPath, ["--check", written]);
      // Any free port: the one of MQTT may be in use here.
      const file = await bundle("program", program.replaceAll(/\b1883\b/g, "0"), here, folder);
      const { stdout, stderr } = await run(process.execPath, [file], { cwd: folder, timeout: 60_000 });
      expect(stderr).toBe("");
      const lines = promised(program);
      if (lines === undefined) expect(stdout).not.toBe("");
      else expect(stdout.trimEnd().split("\n")).toEqual(lines);
    },
    90_000,
  );
});

describe("configurations in documents", async () => {
  test.each(await blocks("yaml"))("%s", (_where, text) => {
    const { errors } = inspectText(text);
    expect(errors).toEqual([]);
  });
});
