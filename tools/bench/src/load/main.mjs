// The load generator's process: one scenario, options as JSON on the command line, figures as JSON on stdout.
import { connects } from "./connects.mjs";
import { messages } from "./messages.mjs";
import { retained } from "./retained.mjs";

const options = JSON.parse(process.argv[2]);
const run = { connects, retained }[options.kind] ?? messages;
try {
  process.stdout.write(`${JSON.stringify(await run(options))}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ failed: error.message })}\n`);
}
process.exit();
