// Runs the pinned pnpm on a machine that has only npm: `npx` fetches it, and puts it on PATH for what it runs (turbo needs that).
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** Runs `pnpm ...args` at the top of the repository and exits with its code when it fails. */
export function pnpm(...args) {
  run("npx", ["--yes", packageManager, ...args]);
}

export function run(command, args, options = {}) {
  const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  const done = spawnSync(command, args, { cwd: root, stdio: "inherit", env: environment, shell: process.platform === "win32", ...options });
  if (done.error) throw done.error;
  if (done.status !== 0 && !options.allowFailure) process.exit(done.status ?? 1);
  return done.status ?? 1;
}
