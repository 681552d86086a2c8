// Runs the pinned pnpm, and turbo, on a machine that has only Node and npm: `npx` fetches pnpm. That takes a second or
// two each time, so what has not changed is not installed again, and turbo is called directly once it is there.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { members, root } from "./workspace.mjs";

export { root };

const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const windows = process.platform === "win32";
const stamp = join(root, "node_modules/.wrenmq-installed");
const shims = join(root, "node_modules/.cache/wrenmq");

/** Runs a command at the top of the repository; returns its exit code. */
export function run(command, args, options = {}) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", ...options.env };
  const done = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: windows, ...options, env });
  if (done.error) process.stderr.write(`${command}: ${done.error.message}\n`);
  return done.status ?? 1;
}

/** Runs `pnpm ...args`; returns its exit code. */
export function pnpm(...args) {
  return run("npx", ["--yes", packageManager, ...args]);
}

/** Runs a program of node_modules/.bin; returns its exit code. */
export function tool(name, ...args) {
  return run(join(root, "node_modules/.bin", name), args);
}

/** Installs unless nothing has changed since the last time; returns the exit code. */
export function install() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return 0;
  // Asked nothing: there may be no terminal.
  const code = pnpm("install", "--frozen-lockfile", "--config.confirmModulesPurge=false");
  if (code !== 0) return code;
  putPnpmOnPath();
  writeFileSync(stamp, wanted);
  return 0;
}

/** Runs `turbo run ...args`, which does again only what has changed; returns its exit code. */
export function turbo(...args) {
  if (!existsSync(join(shims, "pnpm"))) putPnpmOnPath();
  const words = ["run", ...args, "--output-logs=errors-only", "--ui=stream"];
  const PATH = `${shims}${delimiter}${process.env.PATH ?? ""}`;
  return run(join(root, "node_modules/.bin/turbo"), words, { env: { PATH } });
}

/** turbo starts a program named pnpm for each package. Where there is none, this one stands in for it. */
function putPnpmOnPath() {
  mkdirSync(shims, { recursive: true });
  const found = fetchedPnpm();
  const direct = found === undefined ? "" : `[ -x "${found}" ] && exec "${found}" "$@"\n`;
  writeFileSync(join(shims, "pnpm"), `#!/bin/sh\n${direct}exec npx --yes ${packageManager} "$@"\n`);
  chmodSync(join(shims, "pnpm"), 0o755);
  if (windows) writeFileSync(join(shims, "pnpm.cmd"), `@npx --yes ${packageManager} %*\r\n`);
}

/** The pnpm that npx has fetched: to start it directly saves a second or two for each package. */
function fetchedPnpm() {
  const found = spawnSync("npx", ["--yes", packageManager, "exec", "node", "-p", "process.env.PATH"], {
    cwd: root,
    encoding: "utf8",
    shell: windows,
  });
  const folders = found.status === 0 ? found.stdout.trim().split(delimiter) : [];
  const program = folders.filter((folder) => folder.includes("_npx")).map((folder) => join(folder, "pnpm"));
  return program.find((path) => existsSync(path));
}

/** What an installation depends on: the lockfile, every package.json, and the machine's kind. */
function fingerprint() {
  const hash = createHash("sha256");
  hash.update(`${packageManager} ${process.platform} ${process.arch} ${process.versions.modules}\n`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests()]) {
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/** Paths of the package.json files of the workspace, sorted. */
export function manifests() {
  return members().map((folder) => `${folder}/package.json`);
}
