import type { Options } from "tsup";

/** The one place that knows the bundler: every package's tsup.config.ts calls this. Types come from `tsc` (see each package's build script). */
export function library(entry: Record<string, string> = { index: "src/index.ts" }, extra: Options = {}): Options {
  return {
    entry,
    format: ["esm"],
    target: "node20",
    dts: false,
    sourcemap: true,
    clean: true,
    treeshake: true,
    splitting: true,
    ...extra,
  };
}
