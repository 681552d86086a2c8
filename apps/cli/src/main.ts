// The process: arguments in, exit code out. The only file that ends it.
import { CommandError, reportError } from "./errors.ts";
import { createProgram } from "./program.ts";
import { unknownCommand } from "./unknown-command.ts";

/** Runs one command. 0: done; 1: it failed, with one line on stderr; 2: it was called wrongly. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(words[0]);
    const wrong = unknownCommand(program, words);
    if (wrong !== undefined) throw wrong;
    await program.parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    return reportError(error);
  }
}

export async function run(words: readonly string[]): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that went away (`wrenmq sub | head`) is no failure.
    if (error.code === "EPIPE") process.exit(0);
    process.exit(reportError(new CommandError(`the output cannot be written: ${error.message}`)));
  });
  // What is wrong cannot be said either: the exit code says it.
  process.stderr.on("error", () => {});
  process.exitCode = await main(words);
}
