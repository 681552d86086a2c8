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

/** Whoever imports `name` gets `file`; only `file` itself gets what it stands in for. */
function standIn(name, file) {
  return {
    name: "stand-in",
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${name}$`) }, ({ importer }) =>
        importer === file ? undefined : { path: file },
      );
    },
  };
}

/**
 * Bundles a program of this folder.
 * @param replacements modules of this folder that take the place of packages
 * @returns its path, and what removes it
 */
export async function bundle(program, replacements = {}) {
  const dir = mkdtempSync(join(tmpdir(), "wrenmq-budget-"));
  const outfile = join(dir, "program.mjs");
  const plugins = Object.entries(replacements).map(([name, file]) => standIn(name, join(here, file)));
  await build({ ...common, entryPoints: [join(here, program)], plugins, platform: "node", outfile });
  return { path: outfile, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
