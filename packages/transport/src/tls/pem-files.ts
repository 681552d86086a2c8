// Reads PEM from files and folders, and remembers how each of them looked then, so that a later look shows a change.
import { type FileHandle, open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ListenerError, messageOf, systemCode } from "../errors.ts";
import type { PemSource } from "../listener-config.ts";

/** By ending, or by the names that OpenSSL's c_rehash makes (`9d66eef0.0`). */
const CA_FILE = /\.(pem|crt|cer)$|^[0-9a-f]{8}\.\d+$/;

export interface PemText {
  readonly text: string;
  /** undefined: the text itself was given. */
  readonly file: string | undefined;
}

export class PemFiles {
  /** How each file and folder looked before it was read. */
  readonly looks: Map<string, string> = new Map();

  /** @throws ListenerError ERR_LISTENER_FILE */
  async read(source: PemSource, key: string): Promise<PemText> {
    if (typeof source !== "string") return { text: Buffer.from(source).toString("latin1"), file: undefined };
    if (source.includes("-----BEGIN")) return { text: source, file: undefined };
    let handle: FileHandle | undefined;
    try {
      handle = await open(source, "r");
      this.looks.set(source, lookOf(await handle.stat()));
      return { text: await readFile(handle, "latin1"), file: source };
    } catch (cause) {
      this.looks.set(source, this.looks.get(source) ?? MISSING);
      throw unreadable(key, source, cause);
    } finally {
      await handle?.close();
    }
  }

  /** Every file of a folder that may hold certificates. @throws ListenerError ERR_LISTENER_FILE */
  async readFolder(path: string, key: string): Promise<PemText[]> {
    this.looks.set(path, await look(path));
    const names = await readdir(path).catch((cause: unknown) => {
      throw unreadable(key, path, cause);
    });
    const wanted = names.filter((name) => CA_FILE.test(name)).sort();
    return Promise.all(wanted.map((name) => this.read(join(path, name), key)));
  }

  /** Does any of them look different now? */
  async haveChanged(): Promise<boolean> {
    return (await this.now()) !== [...this.looks.values()].join();
  }

  /** How all of them look now, as one text. */
  async now(): Promise<string> {
    return (await Promise.all([...this.looks.keys()].map(look))).join();
  }
}

const MISSING = "-";

function look(path: string): Promise<string> {
  return stat(path).then(lookOf, () => MISSING);
}

function lookOf({ ino, mtimeMs, size }: { ino: number; mtimeMs: number; size: number }): string {
  return `${ino}:${mtimeMs}:${size}`;
}

function unreadable(key: string, path: string, cause: unknown): ListenerError {
  const code = systemCode(cause);
  const why =
    code === "ENOENT"
      ? "no such file"
      : code === "EACCES"
        ? "no permission to read it"
        : code === "EISDIR"
          ? "it is a folder"
          : code === "ENOTDIR"
            ? "it is no folder"
            : messageOf(cause);
  return new ListenerError("ERR_LISTENER_FILE", `${path}: ${why}`, cause, key);
}
