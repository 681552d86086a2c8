// `pnpm crash -- --kills N`: makes the programs and runs the crash test.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle } from "./bundle.mjs";

const folder = await mkdtemp(join(tmpdir(), "wrenmq-crash-program-"));
try {
  const program = await bundle("wrenmq", folder);
  const { main } = await import(pathToFileURL(await bundle("crash", folder)).href);
  process.exitCode = await main(process.argv.slice(2), program);
} finally {
  await rm(folder, { recursive: true, force: true });
}
