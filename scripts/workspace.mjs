// Where the packages of the repository are: what pnpm-workspace.yaml says, for scripts and tests.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The folders of all members, such as "packages/codec", sorted. */
export function members() {
  const list = /^packages:\n((?: +- .*\n)+)/m.exec(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8"))?.[1] ?? "";
  const patterns = [...list.matchAll(/- "?([^"\n]+?)"?$/gm)].map((found) => found[1]);
  return patterns
    .flatMap((pattern) => (pattern.endsWith("/*") ? foldersIn(pattern.slice(0, -2)) : [pattern]))
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .sort();
}

/** The folder of the member with that name: "packages/plugins/auth-acl" of "auth-acl". */
export function folderOf(name) {
  return members().find((folder) => basename(folder) === name);
}

function foldersIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
}
