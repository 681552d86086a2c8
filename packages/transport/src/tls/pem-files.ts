// Reads PEM texts from files and folders, and remembers the state of each file, so that a later check finds changes.
import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ListenerError, messageOf, systemCode } from "../errors.ts";
import type { PemSource } from "../listener-config.ts";

/** By extension, or by the names that OpenSSL's c_rehash makes (`9d66eef0.0`). */
const CA_FILE = /\.(pem|crt|cer)$|^[0-9a-f]{8}\.\d+$/;

/** A pipe that nobody writes to would block a thread for ever. Windows has none of these. */
const DO_NOT_WAIT = (constants.O_NONBLOCK as number | undefined) ?? 0;
/** In UTF-8, read as Latin 1. */
const BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

/** Bytes. Bundles of all public authorities have less than one mebibyte. */
const LARGEST = 16 * 1024 * 1024;

export interface PemText {
  readonly text: string;
  /** undefined: the text itself was given. */
  readonly file: string | undefined;
}

export class PemFiles {
  /** State of each file and folder before it was read. */
  readonly looks: Map<string, string> = new Map();

  /** @throws ListenerError ERR_LISTENER_FILE */
  async read(source: PemSource, key: string): Promise<PemText> {
    if (typeof source !== "string") return { text: Buffer.from(source).toString("latin1"), file: undefined };
    if (source.includes("-----BEGIN")) return { text: source, file: undefined };
    let handle: FileHandle | undefined;
    try {
      handle = await open(source, constants.O_RDONLY | DO_NOT_WAIT);
      const found = await handle.stat();
      this.looks.set(source, lookOf(found));
      // A pipe would be empty when it is read again, and a device may have no end.
      if (!found.isFile() && !found.isDirectory()) throw new Error("it is not a regular file");
      if (found.size > LARGEST) throw new Error(`it is larger than ${LARGEST / 1024 / 1024} MiB`);
      const text = await readFile(handle, "latin1");
      // OpenSSL would not see what begins in the first line.
      return { text: text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text, file: source };
    } catch (cause) {
      this.looks.set(source, this.looks.get(source) ?? MISSING);
      throw unreadable(key, source, cause);
    } finally {
      await handle?.close();
    }
  }

  /**
   * Every file of a folder that may contain certificates.
   * @throws ListenerError ERR_LISTENER_FILE
   */
  async readFolder(path: string, key: string): Promise<PemText[]> {
    this.looks.set(path, await look(path));
    const names = await readdir(path).catch((cause: unknown) => {
      throw unreadable(key, path, cause);
    });
    const wanted = names.filter((name) => CA_FILE.test(name)).sort();
    return Promise.all(wanted.map((name) => this.read(join(path, name), key)));
  }

  /** Has any of them changed since? */
  async haveChanged(): Promise<boolean> {
    return (await this.now()) !== [...this.looks.values()].join();
  }

  /** The present state of all of them, as one text. */
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
