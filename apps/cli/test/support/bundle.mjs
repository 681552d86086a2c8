// Makes programs out of the sources, so that nothing has to be built first: the command for tests, here and in other
// packages, and what else runs the sources.
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Packages that are not ours stay where they are installed. */
const installedPackages = {
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

export async function bundle(name, contents, resolveDir, folder) {
  await build({
    stdin: { contents, resolveDir, sourcefile: `${name}.ts`, loader: "ts" },
    outdir: folder,
    entryNames: name,
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
  return join(folder, `${name}.mjs`);
}

export function bundleCommand(folder) {
  const here = fileURLToPath(new URL(".", import.meta.url));
  return bundle("wrenmq", 'import { run } from "../../src/main.ts"; await run(process.argv.slice(2));', here, folder);
}
