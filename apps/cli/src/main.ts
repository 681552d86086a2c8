// The process: arguments in, exit code out. Only this file ends the process.
import { CommandError, reportError } from "./errors.ts";
import { createProgram } from "./program.ts";
import { unknownCommand } from "./unknown-command.ts";

/**
 * Runs one command.
 * @returns exit code 0: done; 1: failed, with one line on stderr; 2: wrong usage
 */
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
    // A reader that has ended (`wrenmq sub | head`) is not an error.
    if (error.code === "EPIPE") process.exit(0);
    process.exit(reportError(new CommandError(`the output cannot be written: ${error.message}`)));
  });
  // Without stderr only the exit code tells that something is wrong.
  process.stderr.on("error", () => {});
  process.exitCode = await main(words);
  leave();
}

const LEAVE_MS = 250;

/** Nothing of ours is left to do, but plugins of others may have left timers and sockets behind. */
function leave(): void {
  const look = (): void => {
    if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
  };
  setInterval(look, LEAVE_MS).unref();
}
