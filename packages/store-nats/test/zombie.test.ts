// An owner that is stopped as a machine is that hangs, and goes on when another has taken over.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { contentsOf } from "@wrenmq/store/testing";
import { build } from "tsup";
import { beforeAll, describe, expect, test } from "vitest";
import { newFolder } from "./support/folders.ts";
import { contentsAfter } from "./support/history.ts";
import { isNatsHere, NatsServers } from "./support/nats-servers.ts";
import { Owner } from "./support/owner.ts";

const root = join(import.meta.dirname, "..");
const bundle = join(root, "node_modules", ".zombie");
const EVERYTHING = { publish: [">"], subscribe: [">"] };

beforeAll(async () => {
  if (!isNatsHere) return;
  // Node 20 runs no TypeScript.
  await build({
    config: false,
    silent: true,
    entry: { child: join(import.meta.dirname, "zombie/child.ts") },
    outDir: bundle,
    outExtension: () => ({ js: ".mjs" }),
    format: ["esm"],
    target: "node20",
    noExternal: [/^@wrenmq\//],
    external: ["vitest", "fast-check", /^@nats-io\//],
    esbuildOptions(options) {
      options.conditions = ["@wrenmq/source"];
    },
  });
});

/** What the child has said, and a way to wait for it. */
class Child {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  #heard = (): void => {};

  constructor(directory: string, stream: string, urls: readonly string[]) {
    this.#process = spawn(process.execPath, [join(bundle, "child.mjs"), directory, stream, ...urls], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.lines.push(line);
      this.#heard();
    });
    this.#process.once("exit", () => this.#heard());
  }

  get acknowledged(): number {
    return Math.max(0, ...this.lines.map(Number).filter((number) => number > 0));
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.#process.exitCode !== null) throw new Error(`it has ended: ${this.lines.at(-1)}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async ended(): Promise<number | null> {
    if (this.#process.exitCode === null) await once(this.#process, "exit");
    return this.#process.exitCode;
  }
}

describe.skipIf(!isNatsHere)("a zombie", () => {
  test("acknowledges nothing that its heir does not have, and ends", { timeout: 120_000 }, async () => {
    await using servers = await NatsServers.start(1, EVERYTHING);
    const nats = await servers.connect();
    for (let round = 1; round <= 5; round++) {
      const stream = `WREN_zombie_J${round}`;
      const directory = newFolder();
      const child = new Child(directory, stream, servers.urls);
      await child.until(() => child.acknowledged >= 100 * round);
      child.signal("SIGSTOP");
      const heir = new Owner("heir", nats, { stream });
      await heir.open();
      child.signal("SIGCONT");
      expect(await child.ended()).toBe(0);
      expect(child.lines.slice(-2).toSorted()).toEqual(["ERR_STORE_DEPOSED", "deposed"]);
      expect(heir.base).toBeGreaterThanOrEqual(child.acknowledged);
      expect(contentsOf(heir.store)).toEqual(contentsAfter(heir.base));
      await heir.dispose();
      rmSync(directory, { recursive: true, force: true });
    }
    await nats.close();
  });
});
