// Reads the lines of a file and replaces them atomically, for commands that edit such files.
import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";

/** @param otherwise lines of a file that does not exist; without it that is an error, as every other of `node:fs` */
export async function readLines(file: string, otherwise?: readonly string[]): Promise<string[]> {
  try {
    const lines = (await readFile(file, "utf8")).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines;
  } catch (error) {
    if (otherwise !== undefined && (error as { code?: unknown }).code === "ENOENT") return [...otherwise];
    throw error;
  }
}

/** Replaces the file atomically. A new file can be read by its owner only. */
export async function replaceLines(file: string, lines: readonly string[]): Promise<void> {
  const mode = await stat(file).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  );
  const draft = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(draft, "wx", mode);
    try {
      await handle.writeFile(lines.map((line) => `${line}\n`).join(""));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
