import { spawn } from "node:child_process";
import { join } from "node:path";
import { MemoryStore } from "@wrenmq/store";
import { contentsOf } from "@wrenmq/store/testing";
import { FileStore } from "@wrenmq/store-file";
import { build } from "tsup";
import { beforeAll, describe, expect, test } from "vitest";
import { batchAt, progressOf } from "./crash/history.ts";
import { journalFiles, newPlace } from "./places.ts";

const root = join(import.meta.dirname, "..");
const bundle = join(root, "node_modules", ".crash");

beforeAll(async () => {
  // Node 20 runs no TypeScript.
  await build({
    config: false,
    silent: true,
    entry: { child: join(import.meta.dirname, "crash/child.ts") },
    outDir: bundle,
    outExtension: () => ({ js: ".mjs" }),
    format: ["esm"],
    target: "node20",
    noExternal: [/^@wrenmq\//],
    external: ["vitest", "fast-check"],
    esbuildOptions(options) {
      options.conditions = ["@wrenmq/source"];
    },
  });
});

/** Runs the child until it has reported `count` batches, kills it, and says which was the last it reported. */
function killAfter(count: number, path: string, durability: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(bundle, "child.mjs"), path, durability], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let reported = "";
    let complaint = "";
    let lines = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      reported += text;
      lines += text.split("\n").length - 1;
      if (lines >= count) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint += text;
    });
    child.on("close", (_code, signal) => {
      if (signal !== "SIGKILL") reject(new Error(`the child ended by itself: ${complaint}`));
      else resolve(Number(reported.slice(0, reported.lastIndexOf("\n")).split("\n").pop()));
    });
  });
}

describe.each(["batch", "fsync"] as const)("level %s", (durability) => {
  test("whatever apply has answered for is there after SIGKILL", { timeout: 60_000 }, async () => {
    const path = newPlace();
    const model = new MemoryStore();
    model.open();
    let applied = 0;
    let random = 12_345;
    for (let round = 0; round < 12; round++) {
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
      const reported = await killAfter(1 + (random % (durability === "batch" ? 900 : 120)), path, durability);
      const store = new FileStore({ path, durability });
      store.open();
      const there = progressOf(store);
      expect(there).toBeGreaterThanOrEqual(reported);
      while (applied < there) model.apply(batchAt(++applied));
      expect(contentsOf(store)).toEqual(contentsOf(model));
      await store.close();
    }
    expect(applied).toBeGreaterThan(100);
    // Cleaning has been at work, and has been killed in the middle of it.
    expect(journalFiles(path)[0]).not.toBe("00000001.journal");
  });
});
