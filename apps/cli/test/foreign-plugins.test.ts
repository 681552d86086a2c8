// Plugins that are not ours: where they are found, and what is said about those that are none. By the real command, because
// it is Node's own loader that finds and refuses.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";

/** A plugin without anything of ours to import. */
const plugin = (rule: string) =>
  `{ name: "p", setup: () => ({ authorize: () => ({ reasonCode: 0, rule: ${JSON.stringify(rule)} }) }) }`;

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** Which rule of the plugin decides, or what is said instead of starting. */
async function use(folder: string, what: string, options = ""): Promise<string> {
  const file = join(folder, "wrenmq.yaml");
  await writeFile(file, `plugins: { own: { use: "${what}"${options} } }\n`);
  const { code, stdout, stderr } = await runCommand(["explain", "-c", file, "-u", "ada", "a"]);
  if (code === 0) return stdout;
  expect(stderr.trim().split("\n")).toHaveLength(1);
  return stderr.replaceAll(folder, "FOLDER");
}

describe("a package is found", () => {
  const manifest = (exports: object) =>
    JSON.stringify({ name: "my-plugin", version: "1.0.0", type: "module", exports });

  test("that can be imported only, and by a part of it", async () => {
    const folder = await folderWith({
      "node_modules/my-plugin/package.json": manifest({
        ".": { import: "./main.js" },
        "./auth": { import: "./auth.js" },
      }),
      "node_modules/my-plugin/main.js": `export default () => (${plugin("the whole")});`,
      "node_modules/my-plugin/auth.js": `export default () => (${plugin("a part")});`,
      "node_modules/@scope/other/package.json": manifest({ "./deep/auth": { import: "./auth.js" } }),
      "node_modules/@scope/other/auth.js": `export default ${plugin("in a scope")};`,
    });
    expect(await use(folder, "my-plugin")).toContain("the whole");
    expect(await use(folder, "my-plugin/auth")).toContain("a part");
    expect(await use(folder, "@scope/other/deep/auth")).toContain("in a scope");
    expect(await use(folder, "my-plugin/none")).toContain(
      "wrenmq.yaml:1:24: plugins.own.use: the package has nothing to import under",
    );
    expect(await use(folder, "not-there")).toMatch(
      /there is no package "not-there" to be found from FOLDER: install it/,
    );
  });

  test("that is CommonJS, written by hand or compiled", async () => {
    const folder = await folderWith({
      "node_modules/by-hand/package.json": '{ "name": "by-hand", "main": "main.js" }',
      "node_modules/by-hand/main.js": `module.exports = () => (${plugin("by hand")});`,
      "compiled.cjs": `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = () => (${plugin("compiled")});`,
    });
    expect(await use(folder, "by-hand")).toContain("by hand");
    expect(await use(folder, "./compiled.cjs")).toContain("compiled");
  });
});

describe("what is no plugin is said in one line", () => {
  test.each([
    [
      "a class",
      "export default class Mine {}",
      /the default export of FOLDER\/p\.mjs is a class; a plugin is "export default definePlugin/,
    ],
    [
      "a syntax error",
      "export default () => {\n  const = 1;\n};",
      /FOLDER\/p\.mjs is not valid JavaScript: .*\(FOLDER\/p\.mjs:2\)$/m,
    ],
    [
      "CommonJS in an ES module",
      "module.exports = () => ({});",
      /is written for CommonJS .* name it \.cjs, or write "export default"/,
    ],
    ["nothing", "", /FOLDER\/p\.mjs exports nothing; a plugin is/],
    ["no default", "export const a = 1, b = 2;", /exports a, b but no default; a plugin is/],
    [
      "a definition",
      "export default { name: 'p', hooks: () => ({}) };",
      /is what definePlugin\(\) is given, not what it returns/,
    ],
    ["a number", "export default 7;", /the default export of FOLDER\/p\.mjs is a number/],
    ["a function of nothing", "export default () => {};", /is a function that returns undefined/],
    [
      "an import that is missing",
      "import 'missing-package';\nexport default 1;",
      /imports "missing-package", which is not installed/,
    ],
    [
      "an export that is missing",
      "import { nothing } from 'node:os';\nexport default nothing;",
      /imports what is not there: .*nothing/,
    ],
    ["a failure", "throw new Error('first\\nsecond');", /fails while it is loaded: first \(FOLDER\/p\.mjs:1\)$/m],
    ["a refusal", "export default () => { throw new TypeError('no\\nway'); };", /refuses its options: no$/m],
  ])("%s", async (_what, text, line) => {
    const folder = await folderWith({ "p.mjs": text });
    const said = await use(folder, "./p.mjs");
    expect(said).toMatch(/^wrenmq: FOLDER\/wrenmq\.yaml:1:\d+: plugins\.own(\.use)?: /);
    expect(said).toMatch(line);
  });

  test("a file that is not there, a folder, TypeScript, something else", async () => {
    const folder = await folderWith({ "dir/x": "", "p.enum.ts": "export default enum {}", "p.txt": "plugin" });
    expect(await use(folder, "./none.mjs")).toMatch(/none\.mjs/);
    expect(await use(folder, "./dir")).toMatch(/folder/);
    expect(await use(folder, "./p.txt")).toMatch(/has to end in \.js, \.mjs or \.cjs/);
  });

  test("options for a finished plugin", async () => {
    const folder = await folderWith({ "p.mjs": `export default ${plugin("x")};` });
    expect(await use(folder, "./p.mjs", ", topics: [a]")).toMatch(/takes no options/);
  });
});
