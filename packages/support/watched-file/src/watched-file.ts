// A file read at the start and again whenever it has changed. Looks at the file's times instead of listening to the
// system's notifications: those miss renames, bind mounts and network disks, and a look every few seconds costs nothing.
// A file that cannot be read or understood leaves the last good contents in force and says why.
import { readFile, stat } from "node:fs/promises";
import { type PluginContext, PluginError } from "@wrenmq/plugin-api";

export interface WatchedFileOptions<T> {
  readonly file: string;
  /** Throws when the text makes no sense as a whole. */
  readonly parse: (text: string) => T;
  readonly context: Pick<PluginContext, "name" | "logger" | "setInterval">;
  /** Milliseconds between two looks; 0 never looks again. */
  readonly interval: number;
  /** After the file was parsed again, not at the start. */
  readonly changed?: (value: T, previous: T) => void;
}

export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>;
  #value: T;
  /** Size and times of the file whose contents are in force (or were found bad). */
  #seen: string;
  /** A change must look the same twice before it is read: somebody may still be writing. */
  #settling: string | undefined;
  #checking = false;

  private constructor(options: WatchedFileOptions<T>, value: T, seen: string) {
    this.#options = options;
    this.#value = value;
    this.#seen = seen;
    if (options.interval > 0) options.context.setInterval(() => void this.check(), options.interval);
  }

  /** @throws PluginError ERR_PLUGIN_START when the file cannot be read or understood. */
  static async open<T>(options: WatchedFileOptions<T>): Promise<WatchedFile<T>> {
    try {
      const seen = await stamp(options.file);
      const value = options.parse(await readFile(options.file, "utf8"));
      return new WatchedFile(options, value, seen);
    } catch (cause) {
      throw new PluginError("ERR_PLUGIN_START", options.context.name, reason(cause, options.file), { cause });
    }
  }

  get value(): T {
    return this.#value;
  }

  /** Looks at the file now. Never rejects. */
  async check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      await this.#look();
    } finally {
      this.#checking = false;
    }
  }

  /** Reads the file now whether it seems changed or not; for a reload on demand. */
  async reload(): Promise<void> {
    const { file, parse, context, changed } = this.#options;
    let current: string | undefined;
    try {
      current = await stamp(file);
      const value = parse(await readFile(file, "utf8"));
      const previous = this.#value;
      this.#value = value;
      this.#seen = current;
      context.logger.info({ file }, "file reloaded");
      changed?.(value, previous);
    } catch (error) {
      if (current !== undefined) this.#seen = current; // say it once, not at each look
      context.logger.error(
        { file, reason: reason(error, file) },
        "file not reloaded, the last good contents stay in force",
      );
    }
  }

  async #look(): Promise<void> {
    const { file, context } = this.#options;
    let current: string;
    try {
      current = await stamp(file);
    } catch (error) {
      current = `unreadable: ${reason(error, file)}`;
      if (current !== this.#seen) {
        this.#seen = current;
        context.logger.error(
          { file, reason: reason(error, file) },
          "file not readable, the last good contents stay in force",
        );
      }
      return;
    }
    if (current === this.#seen) {
      this.#settling = undefined;
    } else if (current !== this.#settling) {
      this.#settling = current;
    } else {
      this.#settling = undefined;
      await this.reload();
    }
  }
}

async function stamp(file: string): Promise<string> {
  const { size, ino, mtimeMs, ctimeMs } = await stat(file);
  return `${size} ${ino} ${mtimeMs} ${ctimeMs}`;
}

function reason(error: unknown, file: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.includes(file) ? message : `${file}: ${message}`;
}
