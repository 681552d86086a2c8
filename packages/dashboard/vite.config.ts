// Builds `web` to static files in `dist`, with a compressed twin of each and the licences of what is bundled.
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { compressFolder } from "./build/compress.ts";
import { licencesOf } from "./build/licences.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

function finish(): Plugin {
  const modules = new Set<string>();
  return {
    name: "wrenmq-finish",
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk") for (const module of file.moduleIds) modules.add(module.split("?")[0] ?? module);
      }
      this.emitFile({ type: "asset", fileName: "licences.txt", source: licencesOf(modules) });
    },
    writeBundle({ dir }) {
      if (dir !== undefined) compressFolder(dir);
    },
  };
}

export default defineConfig({
  root: `${here}web`,
  // Addresses are relative, so that a proxy may serve it below a path.
  base: "./",
  publicDir: `${here}web/public`,
  resolve: { conditions: ["@wrenmq/source", "module", "browser", "development|production"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: `${here}dist`,
    emptyOutDir: true,
    target: ["chrome123", "firefox120", "safari17.5"],
    // A script in the page would be against the policy.
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  plugins: [finish()],
});
