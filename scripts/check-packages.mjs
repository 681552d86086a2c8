// Would the packages work for those who install them? Every file that a manifest promises has to be there after a build.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { manifests, root } from "./pnpm.mjs";

const problems = [];
for (const file of manifests()) {
  const folder = join(root, dirname(file));
  const manifest = JSON.parse(readFileSync(join(root, file), "utf8"));
  if (manifest.private) continue;
  const promised = [
    ...targets(manifest.exports),
    ...Object.values(manifest.bin ?? {}),
    ...(manifest.files ?? []),
    "README.md",
  ];
  for (const path of new Set(promised)) {
    if (!existsSync(join(folder, path))) problems.push(`${file}: ${path} does not exist`);
  }
  for (const key of ["description", "license", "version", "engines"]) {
    if (manifest[key] === undefined) problems.push(`${file}: "${key}" is missing`);
  }
}

function targets(value) {
  if (typeof value === "string") return [value];
  return Object.values(value ?? {}).flatMap(targets);
}

for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
