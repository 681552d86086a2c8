// The contents of a file that a plugin needs: read and understood, or one line that says why not. A check and a start of a
// plugin both read it here, so that they cannot disagree.
import { open } from "node:fs/promises";
import type { PluginProblem } from "@wrenmq/plugin-api";

/** No file of users or rules is nearly that large; a wrong one may be larger than memory. Bytes. */
const LARGEST = 256 * 1024 * 1024;

/**
 * Reads UTF-8; a byte order mark is left out.
 *
 * @throws Error of `node:fs`, of `parse`, or for what is no file or larger than 256 MiB
 */
export async function readContents<T>(file: string, parse: (text: string) => T): Promise<T> {
  return parse(await readText(file));
}

async function readText(file: string): Promise<string> {
  const handle = await open(file, "r");
  try {
    const found = await handle.stat();
    if (found.isDirectory()) throw new Error("it is a folder");
    // A pipe would be empty when it is read again, and a device may have no end.
    if (!found.isFile()) throw new Error("it is not a regular file");
    if (found.size > LARGEST) throw new Error(`it is larger than ${LARGEST / 1024 / 1024} MiB`);
    const text = await handle.readFile("utf8");
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  } finally {
    await handle.close();
  }
}

/**
 * What a plugin's `check` says of a file.
 *
 * @param option the plugin's option that names the file
 * @param warnings of contents that can be used; the file is named by the caller of this
 */
export async function checkContents<T>(
  option: string,
  file: string,
  parse: (text: string) => T,
  warnings: (value: T) => readonly string[] = () => [],
): Promise<PluginProblem[]> {
  try {
    const value = await readContents(file, parse);
    return warnings(value).map((message) => ({ option, message: `${file}: ${message}`, severity: "warning" }));
  } catch (error) {
    return [{ option, message: reasonWith(error, file) }];
  }
}

/** The message of an error, the file named in it. */
export function reasonWith(error: unknown, file: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.includes(file) ? message : `${file}: ${message}`;
}
