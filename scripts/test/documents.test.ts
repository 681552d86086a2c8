// Documents that would otherwise fall behind the sources.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { members, root } from "../workspace.mjs";

const read = (path: string): string => readFileSync(join(root, path), "utf8");

function sourceFiles(top: string): string[] {
  return members()
    .map((folder) => `${folder}/src`)
    .filter((folder) => folder.startsWith(`${top}/`) && existsSync(join(root, folder)))
    .flatMap((folder) => {
      const inside = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
      return inside.filter((file) => file.endsWith(".ts")).map((file) => join(folder, file));
    });
}

/** Codes of Node that we read, or that belong to private packages. */
const NOT_OURS = new Set([
  "ERR_HTTP_REQUEST_TIMEOUT",
  "ERR_MISSING_PASSPHRASE",
  "ERR_MODULE_NOT_FOUND",
  "ERR_PACKAGE_PATH_NOT_EXPORTED",
  "ERR_SERVER_NOT_RUNNING",
  "ERR_SOCKET_BAD_PORT",
  "ERR_SSL_UNEXPECTED_EOF_WHILE_READING",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_DIR_IMPORT",
]);

describe("docs/errors.md", () => {
  const documented = [...read("docs/errors.md").matchAll(/^\| `(ERR_[A-Z0-9_]+)`/gm)].map((found) => found[1] ?? "");
  const used = new Set(
    [...sourceFiles("packages"), ...sourceFiles("apps")]
      .flatMap((file) => [...read(file).matchAll(/"(ERR_[A-Z0-9_]+)"/g)].map((found) => found[1] ?? ""))
      .filter((code) => !NOT_OURS.has(code)),
  );

  test("explains every code that is used", () => {
    expect([...used].filter((code) => !documented.includes(code)).toSorted()).toEqual([]);
  });

  test("explains no other, and none twice", () => {
    expect(documented.filter((code) => !used.has(code))).toEqual([]);
    expect(documented.length).toBe(new Set(documented).size);
  });
});

describe("README.md", () => {
  const blocks = [...read("README.md").matchAll(/```ts\n([\s\S]*?)```/g)].map((found) => found[1] ?? "");

  test("its programs are the examples, which are tested", () => {
    const examples = ["codec-only", "embed-broker"].map((name) => read(`examples/${name}/src/main.ts`));
    expect(blocks).toEqual(examples);
  });

  test("every relative link leads somewhere", () => {
    const links = [...read("README.md").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((found) => found[1] ?? "");
    expect(links.filter((link) => !readable(link))).toEqual([]);
  });
});

describe("docs/dashboard.md", () => {
  const text = read("docs/dashboard.md");

  test("has each page of the dashboard, and pictures of no more than 150 KB", () => {
    const pages = [...read("packages/dashboard/web/parts/navigation.ts").matchAll(/title: "([^"]+)"/g)].map(
      ([, title]) => title ?? "",
    );
    expect(pages.length).toBeGreaterThan(5);
    expect(pages.filter((title) => !text.includes(`\n### ${title}\n`))).toEqual([]);
    const pictures = [...text.matchAll(/\]\((images\/[^)]+)\)/g)].map(([, path]) => `docs/${path}`);
    expect(pictures.length).toBeGreaterThan(5);
    expect(pictures.filter((path) => !readable(path) || statSync(join(root, path)).size > 150_000)).toEqual([]);
    const kept = readdirSync(join(root, "docs/images")).map((name) => `docs/images/${name}`);
    expect(kept.filter((path) => path.includes("/dashboard-") && !pictures.includes(path))).toEqual([]);
  });
});

test("docs/cli.md explains every option of every command", () => {
  const text = read("docs/cli.md");
  const files = sourceFiles("apps").filter((file) => /-command\.ts$/.test(file));
  const options = files.flatMap((file) =>
    [...read(file).matchAll(/"(?:-\w, )?(--[a-z-]+)[ "]/g)].map((found) => found[1] ?? ""),
  );
  expect(options.length).toBeGreaterThan(40);
  expect(
    [...new Set(options)].filter((option) => !text.includes(`\`${option}`) && !text.includes(`, ${option}`)).toSorted(),
  ).toEqual([]);
});

test("docs/configuration.md says what each reason for a drop means", () => {
  const union = /export type DropReason =([^;]*);/.exec(read("packages/protocol/src/counters.ts"))?.[1] ?? "";
  const reasons = [...union.matchAll(/"(\w+)"/g)].map((found) => found[1] ?? "");
  const table = /\| reason +\|[\s\S]*?\n\n/.exec(read("docs/configuration.md"))?.[0] ?? "";
  const documented = [...table.matchAll(/^\| `(\w+)`/gm)].map((found) => found[1] ?? "");
  expect(reasons.length).toBeGreaterThan(5);
  expect(documented).toEqual(reasons);
});

function readable(path: string): boolean {
  try {
    readdirSync(join(root, path));
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "ENOTDIR";
  }
}

describe("docs/adr", () => {
  const records = readdirSync(join(root, "docs/adr")).sort();

  test("each decision has a number of its own, and its heading begins with it", () => {
    const numbers = records.map((file) => file.slice(0, 4));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(records.map((file) => read(`docs/adr/${file}`).slice(0, 8))).toEqual(
      numbers.map((number) => `# ${number} ·`),
    );
  });
});
