#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("../dist/main.js", import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  await run(process.argv.slice(2));
} else {
  process.stderr.write("wrenmq: not built yet; run `npm start` (or `pnpm build`) at the top of the repository\n");
  process.exitCode = 1;
}
