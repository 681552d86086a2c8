// `npm start [-- options of "wrenmq start"]`: installs, builds what the command needs, runs the broker.
import { fileURLToPath } from "node:url";
import { install, turbo } from "./pnpm.mjs";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`WrenMQ needs Node.js 20.19 or newer; this is ${process.version}\n`);
  process.exit(1);
}
const failed = install() || turbo("build", "--filter=wrenmq...");
if (failed !== 0) process.exit(failed);

// A configuration file says itself where data is kept.
const words = process.argv.slice(2);
const hasFile = words.some((word) => /^(-c|--config(=|$))/.test(word));
const data = hasFile ? [] : ["--data", "./data"];
// In this process, so that signals and the exit code need nobody to pass them on.
const program = new URL("../apps/cli/bin/wrenmq.js", import.meta.url);
process.argv = [process.argv[0] ?? "node", fileURLToPath(program), "start", ...data, ...words];
await import(program.href);
