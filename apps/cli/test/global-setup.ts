// Makes a program out of the sources, so that tests run the command as users do and need no build. Every run has a folder
// of its own: nothing is shared with a build or with another run.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the program. */
    readonly wrenmq: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-cli-"));
  await build({
    stdin: {
      contents: 'import { run } from "../src/main.ts"; await run(process.argv.slice(2));',
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
      sourcefile: "wrenmq.ts",
      loader: "ts",
    },
    outdir: folder,
    entryNames: "wrenmq",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["@wrenmq/source"],
    plugins: [installedPackages],
    logLevel: "error",
  });
  project.provide("wrenmq", join(folder, "wrenmq.mjs"));
  return () => rm(folder, { recursive: true, force: true });
}

/** Packages that are not ours stay where they are installed. */
const installedPackages: Plugin = {
  name: "installed-packages",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, importer, resolveDir, kind }) => {
      if (pluginData === "resolving" || path.startsWith("@wrenmq/") || path.startsWith("node:")) return undefined;
      const found = await resolve(path, { importer, resolveDir, kind, pluginData: "resolving" });
      return found.external || found.errors.length > 0
        ? found
        : { path: pathToFileURL(found.path).href, external: true };
    });
  },
};
