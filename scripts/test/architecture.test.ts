// What the arrows of docs/architecture.md and the conventions say, held against the sources.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { members, root } from "../workspace.mjs";

/** By their names, "codec" and "auth-acl": the folder of each is `folders.get(name)`. */
const folders = new Map(
  members()
    .filter((folder) => folder.startsWith("packages/"))
    .map((folder) => [basename(folder), folder]),
);
/** The workshop: tests and tools, which may use everything. */
const tools = members().filter((folder) => folder.startsWith("tools/"));

/** The packages that run anywhere: no Node, no clock, no process. */
const PURE = ["codec", "topics", "limits", "protocol", "plugin-api"];

/** What each package may depend on, of ours. A package that is not here may be added when somebody has thought about it. */
const PLUGIN = ["plugin-api", "topics", "password-hash", "sql-database", "watched-file"];
const MAY_DEPEND_ON: Readonly<Record<string, readonly string[]>> = {
  codec: [],
  topics: [],
  limits: [],
  transport: [],
  "password-hash": [],
  "sql-database": [],
  protocol: ["codec", "topics", "limits"],
  store: ["protocol", "topics"],
  "plugin-api": ["codec", "protocol", "topics"],
  cluster: ["codec", "protocol", "topics", "transport"],
  "cluster-nats": ["cluster", "protocol", "transport"],
  "watched-file": ["plugin-api"],
  "store-file": ["store", "protocol"],
  "store-nats": ["store", "store-file", "protocol"],
  broker: ["codec", "topics", "limits", "transport", "protocol", "store", "plugin-api", "cluster"],
  admin: ["broker", "codec", "plugin-api", "topics", "transport", "auth-token", "watched-file"],
  workers: ["broker", "cluster", "plugin-api", "store", "store-file", "transport"],
  config: ["limits", "plugin-api"],
  // A page for browsers: of the others it takes types only, and everything is bundled.
  dashboard: [],
  host: ["broker", "cluster-nats", "config", "plugin-api", "store", "store-file", "store-nats", "transport", "workers"],
};
/** Make and name plugins. */
const KNOWS_PLUGINS = ["config", "host"];
/** Reads configuration files, for which it needs what plugins declare of their options, and nothing else of them. */
const CONFIG = "config";
const isPlugin = (name: string): boolean => folders.get(name)?.startsWith("packages/plugins/") === true;

/** Where the version of the protocol may be asked for: everything else asks the dialect. */
const MAY_KNOW_THE_VERSION = [
  "packages/codec/src/",
  "packages/protocol/src/dialect.ts",
  "packages/protocol/src/connection/connect-rules.ts",
];

/**
 * Where no reason code of MQTT is named. Plugins and the broker's decisions (`access`, `connections`, `routing`,
 * `clustering`, `operations`) answer clients with one; these report results in their own terms (a `DropReason`, a
 * `ForwardResult`, an error with a code), which the callers translate.
 */
const ANSWERS_NOBODY = [
  ...["transport", "store", "store-file", "store-nats", "cluster", "cluster-nats", "limits", "config", "workers"].map(
    (name) => `packages/${name}/src/`,
  ),
  "packages/support/",
  ...["sessions", "persistence", "limits", "reporting", "runtime"].map((folder) => `packages/broker/src/${folder}/`),
];

/** Files that are longer than 400 lines, and why. */
const LONG: Readonly<Record<string, string>> = {
  "packages/protocol/src/connection/server-connection.ts":
    "the one state machine: states, packets and answers are read together",
  "packages/broker/src/broker.ts": "the public class: doc comments of the API",
  "packages/broker/src/connections/client-connection.ts": "implements one interface, Effects",
};
const LONGEST = 400;
const LONGEST_WITH_REASON = 600;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
}

interface Source {
  readonly path: string;
  readonly text: string;
  /** Without comments; texts are empty. */
  readonly code: string;
}

function sources(folder: string): Source[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), "utf8");
      return { path: relative(root, join(root, folder, name)), text, code: codeOf(text) };
    });
}

function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, (found) =>
    found.startsWith("/") ? "" : '""',
  );
}

const lines = ({ path, code }: Source, pattern: RegExp): string[] =>
  code.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));

const dependencies = (folder: string): string[] =>
  Object.keys(manifest(folder).dependencies ?? {})
    .filter((one) => one.startsWith("@wrenmq/"))
    .map((one) => one.slice("@wrenmq/".length));

describe.each(PURE)("%s is pure", (name) => {
  const all = sources(`packages/${name}/src`).filter(({ path }) => !path.includes("/testing/"));

  test("imports nothing of Node", () => {
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter(({ text }) => /(?:from|import\(?)\s*"node:/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test("knows no clock, no timer, no process, no console", () => {
    // Plugins are given timers, and a hook may not take for ever: the default of an injected timer is the only one.
    const own = all.filter(({ path }) => path !== "packages/plugin-api/src/chain/hook-guard.ts");
    const declared = /^\s*set(Timeout|Interval)\(.*\): \(\) => void;$/;
    const found = own.flatMap((source) =>
      lines(source, /\bDate\.now\b|\bsetTimeout\(|\bsetInterval\(|\bprocess\.|\bconsole\./),
    );
    expect(found.filter((line) => !declared.test(line.replace(/^\S+ /, "")))).toEqual([]);
  });
});

test("the version of the protocol is compared in the codec and the dialect only", () => {
  const checked = ["protocol", "broker", "store", "store-file", "plugin-api"].flatMap((name) =>
    sources(`packages/${name}/src`),
  );
  const others = checked.filter(({ path }) => !MAY_KNOW_THE_VERSION.some((place) => path.startsWith(place)));
  const comparison = /\b(?:protocolV|v)ersion\)? *(?:===|!==|<|>|<=|>=) *\d|switch \(.*[vV]ersion\)/;
  expect(others.flatMap((source) => lines(source, comparison))).toEqual([]);
});

test.each([...folders])("%s depends only on what is below it", (name, folder) => {
  const plugins = [...folders.keys()].filter(isPlugin);
  const allowed = isPlugin(name)
    ? PLUGIN
    : KNOWS_PLUGINS.includes(name)
      ? [...(MAY_DEPEND_ON[name] ?? []), ...plugins]
      : MAY_DEPEND_ON[name];
  expect(allowed, `${name} is not in the table`).toBeDefined();
  expect(dependencies(folder).filter((one) => !(allowed ?? []).includes(one))).toEqual([]);
});

test("a configuration is read without loading a plugin: only what plugins declare of their options", () => {
  const imported = (text: string): string[] =>
    [...text.matchAll(/^import (?!type).*?from "([^"]+)";/gms)].map(([, from]) => from ?? "");
  const ofConfig = sources(`packages/${CONFIG}/src`).flatMap(({ text }) => imported(text));
  const ours = ofConfig.filter((from) => from.startsWith("@wrenmq/") && from !== "@wrenmq/limits");
  expect(ours.filter((from) => !from.endsWith("/options"))).toEqual([]);
  const light = ["@wrenmq/plugin-api/options", "@wrenmq/topics", "./algorithms.ts"];
  const declared = [...folders.keys()].filter(isPlugin).flatMap((name) => sources(`${folders.get(name)}/src`));
  const heavy = declared
    .filter(({ path }) => path.endsWith("/options.ts"))
    .flatMap(({ path, text }) =>
      imported(text)
        .filter((from) => !light.includes(from))
        .map((from) => `${path}: ${from}`),
    );
  expect(heavy).toEqual([]);
});

test("nothing that is published depends on what is not", () => {
  expect(tools.filter((folder) => manifest(folder).private !== true)).toEqual([]);
  const all = members().map((folder) => manifest(folder));
  const unpublished = all.filter((one) => one.private === true).map(({ name }) => name);
  const used = all
    .filter((one) => one.private !== true)
    .flatMap(({ name, dependencies }) => Object.keys(dependencies ?? {}).map((one) => ({ name, one })));
  expect(used.filter(({ one }) => unpublished.includes(one))).toEqual([]);
});

test("reason codes are named where a client is answered, and written by their names", () => {
  const packages = [...folders].filter(([name]) => !["codec", "topics"].includes(name));
  const all = [...packages.map(([, folder]) => folder), "apps/cli"].flatMap((folder) => sources(`${folder}/src`));
  const silent = (path: string): boolean => ANSWERS_NOBODY.some((place) => path.startsWith(place));
  const named = all.filter(({ path }) => silent(path)).flatMap((source) => lines(source, /\bReasonCode\.\w/));
  expect(named).toEqual([]);
  const numbers = all.flatMap((source) =>
    lines(source, /\breasonCode(?:: ReasonCode)?\s*(?::|=|===|!==)\s*(?:0x|[1-9])/),
  );
  expect(numbers).toEqual([]);
});

test("the page of the dashboard takes of our packages types only, and the format of traces", () => {
  const imports = sources("packages/dashboard/web").flatMap(({ path, text }) =>
    [...text.matchAll(/^import (type )?[^;]*?"(@wrenmq\/[^"]+|node:[^"]+)";/gms)].map(([, type, from]) => ({
      path,
      type,
      from,
    })),
  );
  expect(imports.length).toBeGreaterThan(0);
  expect(imports.filter(({ type, from }) => type === undefined && from !== "@wrenmq/admin/trace")).toEqual([]);
});

test("no file is too long without a reason", () => {
  const long = [...folders.values(), "apps/cli"]
    .flatMap((folder) => sources(`${folder}/${folder.endsWith("/dashboard") ? "web" : "src"}`))
    .filter(({ path }) => !path.includes("/testing/"))
    .map(({ path, text }) => ({ path, count: text.split("\n").length - 1 }))
    .filter(({ path, count }) => count > (path in LONG ? LONGEST_WITH_REASON : LONGEST));
  expect(long).toEqual([]);
});

test("no tracked file names a machine's folders or a registry", () => {
  const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0");
  const texts = tracked.filter(
    (path) => /\.(ts|js|mjs|json|md|ya?ml|tsv|sh)$|^\.ci\/|rc$/.test(path) && existsSync(join(root, path)),
  );
  const forbidden = new RegExp(
    ["work", "root", "Users"].map((name) => `(?<![\\w.}:/])/${name}/`).join("|") +
      "|registry\\.[a-z]+js\\.|tarball: http",
  );
  const found = texts.filter(
    (path) => path !== "scripts/test/architecture.test.ts" && forbidden.test(readFileSync(join(root, path), "utf8")),
  );
  expect(found).toEqual([]);
});
