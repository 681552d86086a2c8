// Inside each package: no circle of imports, folders that build on each other one way, and no folder of too many files.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { members, root } from "../workspace.mjs";

/**
 * The folders of a package's sources, each of which may import from those after it. Files beside the folders may be
 * imported by all and may import all: the public door is one of them, and what all folders share. A package that is not
 * here has no folders, or folders that do not know each other.
 */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  "packages/protocol": ["connection", "session", "message", "memory"],
  "packages/transport": ["listeners", "websocket", "proxy-protocol", "tls", "connections"],
  "packages/store-file": ["tools", "recovery", "maintenance", "index", "journal"],
  "packages/store-nats": ["nats", "mirror", "stream"],
  "packages/plugin-api": ["testing", "options", "grants", "chain"],
  "packages/config": ["amqtt", "sections", "reading", "description"],
  "packages/admin": ["client", "socket", "http", "members", "commands", "recording", "metrics", "streams", "trace"],
  "packages/broker": [
    "settings",
    "operations",
    "reporting",
    "listeners",
    "connections",
    "clustering",
    "access",
    "routing",
    "sessions",
    "persistence",
    "limits",
    "plugins",
    "runtime",
  ],
  "packages/cluster": ["mesh", "transports", "wire"],
  "packages/cluster-nats": ["shards", "nats", "membership", "links"],
  "packages/host": ["cluster", "plugins"],
  "packages/dashboard": ["pages", "parts", "api", "pure"],
  "tools/crash": ["simulation", "cluster", "brokers", "clients"],
  "apps/cli": ["commands", "admin", "client", "broker", "service"],
};

/** Folders with more files than `MOST_FILES`, and why. */
const LARGE: Readonly<Record<string, string>> = {
  "tools/conformance/src/scenarios": "a file for each chapter of the standards",
};
const MOST_FILES = 16;

/** The files of a member's sources, by their paths below it, and what they import of each other. */
type Graph = ReadonlyMap<string, readonly string[]>;

/** `src`, or `web` of a page. */
const sourcesOf = (member: string): string => (existsSync(join(root, member, "web")) ? "web" : "src");

function graphOf(member: string): Graph {
  const folder = join(root, member, sourcesOf(member));
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => /\.tsx?$/.test(name));
  const known = new Set(names);
  const importsIn = (name: string): string[] =>
    importsOf(name, readFileSync(join(folder, name), "utf8")).filter((one) => known.has(one));
  return new Map(names.map((name) => [name, importsIn(name)]));
}

/** Types count, and what is imported while the program runs. */
function importsOf(name: string, text: string): string[] {
  const found = text.matchAll(/^(?:import|export)\b[^;"']*?"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm);
  return [...found].map((match) => posix.join(posix.dirname(name), match[1] ?? match[2] ?? ""));
}

/** Groups of files that import each other, in whatever number of steps. */
function circlesIn(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): number => {
    order.set(file, order.size);
    let low = order.get(file) as number;
    open.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, order.get(next) as number);
    }
    lowest.set(file, low);
    if (low !== order.get(file)) return low;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1 || graph.get(file)?.includes(file)) circles.push(circle.toSorted());
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}

const folderOf = (file: string): string | undefined =>
  file.includes("/") ? file.slice(0, file.indexOf("/")) : undefined;

function againstTheOrder(graph: Graph, order: readonly string[]): string[] {
  return [...graph].flatMap(([file, imports]) =>
    imports
      .filter((next) => {
        const [from, to] = [folderOf(file), folderOf(next)];
        return from !== undefined && to !== undefined && order.indexOf(to) < order.indexOf(from);
      })
      .map((next) => `${file} imports ${next}`),
  );
}

test("circles are found, and arrows against an order", () => {
  expect(importsOf("a/x.ts", 'import { y } from "./y.ts";\nimport type {\n  Z,\n} from "../z.ts";')).toEqual([
    "a/y.ts",
    "z.ts",
  ]);
  expect(importsOf("x.ts", 'export * from "./y.ts"; // from "./no.ts"\nawait import("./z.ts")')).toEqual([
    "y.ts",
    "z.ts",
  ]);
  const graph = new Map([
    ["a/1.ts", ["a/2.ts", "b/4.ts"]],
    ["a/2.ts", ["b/3.ts"]],
    ["b/3.ts", ["a/1.ts", "b/4.ts"]],
    ["b/4.ts", ["b/4.ts"]],
    ["5.ts", ["a/1.ts"]],
  ]);
  expect(circlesIn(graph)).toEqual([["b/4.ts"], ["a/1.ts", "a/2.ts", "b/3.ts"]]);
  expect(againstTheOrder(graph, ["a", "b"])).toEqual(["b/3.ts imports a/1.ts"]);
});

const withSources = members().filter(
  (member) => existsSync(join(root, member, sourcesOf(member))) && graphOf(member).size > 0,
);

describe.each(withSources)("%s", (member) => {
  const graph = graphOf(member);

  test("no file imports itself, in whatever number of steps", () => {
    expect(circlesIn(graph)).toEqual([]);
  });

  test("folders build on each other one way", () => {
    const used = new Set([...graph.keys()].map(folderOf).filter((folder) => folder !== undefined));
    const order = ORDER[member];
    if (order === undefined) {
      const crossing = [...graph].flatMap(([file, imports]) =>
        imports
          .filter(
            (next) => folderOf(file) !== undefined && folderOf(next) !== undefined && folderOf(next) !== folderOf(file),
          )
          .map((next) => `${file} imports ${next}`),
      );
      expect(crossing, "folders that import from each other need an entry in ORDER").toEqual([]);
      return;
    }
    expect([...used].toSorted()).toEqual(order.toSorted());
    expect(againstTheOrder(graph, order)).toEqual([]);
  });

  test("no folder has too many files", () => {
    const counts = new Map<string, number>();
    for (const file of graph.keys()) {
      const folder = posix.join(member, sourcesOf(member), posix.dirname(file));
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    const large = [...counts].filter(([folder, count]) => count > MOST_FILES && !(folder in LARGE));
    expect(large).toEqual([]);
  });
});
