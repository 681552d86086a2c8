// A file that is parsed at the start and again when it has changed. It polls the file's times, because notifications of
// the system miss renames, bind mounts and network disks, and polling every few seconds costs nothing. If a file cannot
// be read or parsed, the last valid contents stay in use and the error is logged.
import { stat } from "node:fs/promises";
import { type PluginContext, PluginError } from "@wrenmq/plugin-api";
import { readContents, reasonWith } from "./read-contents.ts";

export interface WatchedFileOptions<T> {
  readonly file: string;
  /** Throws when the text is invalid. */
  readonly parse: (text: string) => T;
  readonly context: Pick<PluginContext, "name" | "logger" | "setInterval">;
  /** Milliseconds between two checks; 0 never checks again. */
  readonly interval: number;
  /** Called after the file was parsed again, not at the start. */
  readonly changed?: (value: T, previous: T) => void;
}

export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>;
  #value: T;
  /** Size and times of the file that was read last, whether it was valid or not. */
  #seen: string;
  /**
   * Size and times of a change. It must be the same in two checks before the file is read, as it may still be being
   * written.
   */
  #settling: string | undefined;
  #checking = false;

  private constructor(options: WatchedFileOptions<T>, value: T, seen: string) {
    this.#options = options;
    this.#value = value;
    this.#seen = seen;
    if (options.interval > 0) options.context.setInterval(() => void this.check(), options.interval);
  }

  /** @throws PluginError ERR_PLUGIN_START when the file cannot be read or parsed */
  static async open<T>(options: WatchedFileOptions<T>): Promise<WatchedFile<T>> {
    try {
      const seen = await stamp(options.file);
      const value = await readContents(options.file, options.parse);
      return new WatchedFile(options, value, seen);
    } catch (cause) {
      throw new PluginError("ERR_PLUGIN_START", options.context.name, reasonWith(cause, options.file), { cause });
    }
  }

  get value(): T {
    return this.#value;
  }

  /** Checks the file now. Never rejects. */
  async check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      await this.#look();
    } finally {
      this.#checking = false;
    }
  }

  /** Reads the file now, whether it has changed or not; for a reload on demand. */
  async reload(): Promise<void> {
    const { file, parse, context, changed } = this.#options;
    let current: string | undefined;
    try {
      current = await stamp(file);
      const value = await readContents(file, parse);
      const previous = this.#value;
      this.#value = value;
      this.#seen = current;
      context.logger.info({ file }, "file reloaded");
      changed?.(value, previous);
    } catch (error) {
      if (current !== undefined) this.#seen = current; // logged once, not at each check
      context.logger.error(
        { file, reason: reasonWith(error, file) },
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
      current = `unreadable: ${reasonWith(error, file)}`;
      if (current !== this.#seen) {
        this.#seen = current;
        context.logger.error(
          { file, reason: reasonWith(error, file) },
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
