// The process of the load generator: runs one scenario, with options as JSON in its argument, and prints figures as
// JSON.
import { connects } from "./connects.mjs";
import { messages } from "./messages.mjs";
import { retained } from "./retained.mjs";
import { storm } from "./storm.mjs";

const options = JSON.parse(process.argv[2]);
const run = { connects, retained, storm }[options.kind] ?? messages;
try {
  process.stdout.write(`${JSON.stringify(await run(options))}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ failed: error.message })}\n`);
}
process.exit();
