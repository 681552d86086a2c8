// Reads passwords: on a terminal twice, without showing them, otherwise the first line of stdin. Never from arguments,
// which other users of the machine can read.
import { createInterface } from "node:readline";
import { CommandError } from "./errors.ts";

/** @throws CommandError when there is none, or the two differ */
export async function readPassword(username: string): Promise<string> {
  if (!process.stdin.isTTY) return firstLine();
  const password = await askHidden(`Password for ${username}: `);
  if ((await askHidden("Again: ")) !== password) throw new CommandError("the two passwords differ");
  return notEmpty(password);
}

/**
 * An existing password: typed once.
 * @throws CommandError when there is none
 */
export async function readSecret(username: string): Promise<string> {
  return process.stdin.isTTY ? notEmpty(await askHidden(`Password for ${username}: `)) : firstLine();
}

/** @returns true when the answer is yes; false without a terminal */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve) =>
      lines.question(`${question} [y/N] `, (word) => resolve(/^y(es)?$/i.test(word))),
    );
  } finally {
    lines.close();
  }
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) return notEmpty(line);
  return notEmpty("");
}

function notEmpty(password: string): string {
  if (password === "") throw new CommandError("the password is empty");
  return password;
}

function askHidden(question: string): Promise<string> {
  const { stdin } = process;
  process.stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed = "";
    const done = (): void => {
      stdin.off("data", key);
      stdin.setRawMode(false);
      stdin.pause();
      process.stderr.write("\n");
    };
    const key = (keys: string): void => {
      for (const each of keys) {
        if (each === "\r" || each === "\n" || each === "\u0004") {
          done();
          resolve(typed);
          return;
        }
        if (each === "\u0003") {
          done();
          reject(new CommandError("cancelled"));
          return;
        }
        typed = each === "\u007f" || each === "\b" ? typed.slice(0, -1) : typed + each;
      }
    };
    stdin.on("data", key);
  });
}
