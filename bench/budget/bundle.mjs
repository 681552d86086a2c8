// Bundles sources of this repository as they are now, so that the guards need no build and no loader.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const common = { bundle: true, format: "esm", target: "node20", conditions: ["@wrenmq/source"], logLevel: "error" };

/** Bytes of what `source` needs: minified, and compressed as servers do it. */
export async function sizeOf(source) {
  const stdin = { contents: source, resolveDir: here, loader: "ts" };
  const { outputFiles } = await build({ ...common, stdin, minify: true, platform: "browser", write: false });
  const [{ contents }] = outputFiles;
  return { minified: contents.length, compressed: gzipSync(contents, { level: 9 }).length };
}

/** Bundles a program of this folder. @returns its path, and what removes it */
export async function bundle(program, alias = {}) {
  const dir = mkdtempSync(join(tmpdir(), "wrenmq-budget-"));
  const outfile = join(dir, "program.mjs");
  const paths = Object.fromEntries(Object.entries(alias).map(([name, file]) => [name, join(here, file)]));
  await build({ ...common, entryPoints: [join(here, program)], alias: paths, platform: "node", outfile });
  return { path: outfile, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
