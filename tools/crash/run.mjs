// `pnpm crash -- --kills N`: makes the programs and runs the crash test.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundle, bundleCommand } from "../../apps/cli/test/support/bundle.mjs";

const folder = await mkdtemp(join(tmpdir(), "wrenmq-crash-program-"));
try {
  const program = await bundleCommand(folder);
  const here = fileURLToPath(new URL(".", import.meta.url));
  const crash = await bundle("crash", 'export { main } from "./src/main.ts";', here, folder);
  const { main } = await import(pathToFileURL(crash).href);
  process.exitCode = await main(process.argv.slice(2), program);
} finally {
  await rm(folder, { recursive: true, force: true });
}
