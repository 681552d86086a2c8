// Reads and parses a file that a plugin needs, or returns one line with the reason why not. The check and the start of
// a plugin both use it, so that they cannot disagree.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { PluginProblem } from "@wrenmq/plugin-api";

/** Bytes. No file of users or rules is nearly that large; a wrong file may be larger than memory. */
const LARGEST = 256 * 1024 * 1024;

/** A pipe that nobody writes to would block a thread for ever. Windows has none of these. */
const DO_NOT_WAIT = (constants.O_NONBLOCK as number | undefined) ?? 0;

/** Messages repeat parts of files, which may be other files than they should be. Characters. */
const LONGEST_MESSAGE = 300;

/**
 * Reads UTF-8, without a byte order mark.
 * @throws Error of `node:fs` or of `parse`, or when it is not a regular file or larger than 256 MiB
 */
export async function readContents<T>(file: string, parse: (text: string) => T): Promise<T> {
  return parse(await readText(file));
}

async function readText(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | DO_NOT_WAIT);
  try {
    const found = await handle.stat();
    if (found.isDirectory()) throw new Error("it is a folder");
    // A pipe would be empty when it is read again, and a device may have no end.
    if (!found.isFile()) throw new Error("it is not a regular file");
    if (found.size > LARGEST) throw new Error(`it is larger than ${LARGEST / 1024 / 1024} MiB`);
    const text = await handle.readFile("utf8");
    if (text.includes("\0")) throw new Error("it is not a text file in UTF-8");
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  } finally {
    await handle.close();
  }
}

/**
 * The result of a plugin's `check` for a file.
 * @param option the plugin's option that names the file
 * @param warnings about valid contents; the file's name is added
 */
export async function checkContents<T>(
  option: string,
  file: string,
  parse: (text: string) => T,
  warnings: (value: T) => readonly string[] = () => [],
): Promise<PluginProblem[]> {
  try {
    const value = await readContents(file, parse);
    return warnings(value).map((message) => ({
      option,
      message: `${file}: ${printable(message)}`,
      severity: "warning",
    }));
  } catch (error) {
    return [{ option, message: reasonWith(error, file) }];
  }
}

/** The message of an error in one printable line, with the file named in it. */
export function reasonWith(error: unknown, file: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.includes(file) ? message : `${file}: ${printable(message)}`;
}

function printable(message: string): string {
  const line = message.replaceAll(/\p{C}/gu, "\ufffd");
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE - 3)}...` : line;
}
