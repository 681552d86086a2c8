// Writes the six files that every package has.
//
//   node scripts/new-package.mjs FOLDER "one sentence" [--node] [dep ...]
//
// FOLDER says what kind it is: packages/NAME (core), packages/plugins/NAME, packages/support/NAME or tools/NAME (private).
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { posix } from "node:path";

const [given = "", sentence = "", ...rest] = process.argv.slice(2);
const dir = posix.normalize(given).replace(/\/$/, "");
if (!/^(packages\/(plugins\/|support\/)?|tools\/)[a-z0-9-]+$/.test(dir) || sentence === "") {
  process.stderr.write('usage: node scripts/new-package.mjs FOLDER "one sentence" [--node] [dep ...]\n');
  process.exit(2);
}
const name = posix.basename(dir);
const up = posix.relative(dir, ".");
const node = rest.includes("--node");
const deps = rest.filter((word) => !word.startsWith("--"));
const put = (path, text) => {
  if (!existsSync(`${dir}/${path}`)) writeFileSync(`${dir}/${path}`, text);
};
mkdirSync(`${dir}/src`, { recursive: true });
mkdirSync(`${dir}/test`, { recursive: true });
const version = (dep) => (["ws", "yaml"].includes(dep) ? "catalog:" : "workspace:*");
put(
  "package.json",
  `${JSON.stringify(
    {
      name: `@wrenmq/${name}`,
      version: "0.1.0",
      ...(dir.startsWith("tools/") ? { private: true } : {}),
      description: sentence,
      license: "MIT",
      type: "module",
      sideEffects: false,
      engines: { node: ">=20.19" },
      exports: {
        ".": { "@wrenmq/source": "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" },
        "./package.json": "./package.json",
      },
      files: ["dist", "src"],
      scripts: {
        build: "tsup && tsc -p tsconfig.build.json",
        test: `vitest run --root ${up} --project ${name}`,
      },
      ...(deps.length
        ? {
            dependencies: Object.fromEntries(
              deps.sort().map((d) => [version(d) === "catalog:" ? d : `@wrenmq/${d}`, version(d)]),
            ),
          }
        : {}),
      devDependencies: {
        ...(node ? { "@types/node": "catalog:" } : {}),
        tsup: "catalog:",
        typescript: "catalog:",
        vitest: "catalog:",
      },
    },
    null,
    2,
  )}\n`,
);
put(
  "tsconfig.json",
  `${JSON.stringify({ extends: `${up}/tsconfig.base.json`, compilerOptions: { types: node ? ["node"] : [] }, include: ["src", "test"] }, null, 2)}\n`,
);
put(
  "tsconfig.build.json",
  `${JSON.stringify({ extends: "./tsconfig.json", compilerOptions: { noEmit: false, emitDeclarationOnly: true, rootDir: "src", outDir: "dist", customConditions: [] }, include: ["src"] }, null, 2)}\n`,
);
put(
  "tsup.config.ts",
  `import { defineConfig } from "tsup";\nimport { library } from "${up}/tsup.base.ts";\n\nexport default defineConfig(library());\n`,
);
put("README.md", `# @wrenmq/${name}\n\n${sentence}\n`);
put("src/index.ts", "export {};\n");
