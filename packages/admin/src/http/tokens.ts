// The tokens of the admin API: the caller and the role of each. The file is that of the token plugin, one JSON object
// per line with a SHA-256 digest of each token, and a role. It is read again when it changes.
import { timingSafeEqual } from "node:crypto";
import { digestOf, idOfToken, parseTokenFile, type StoredToken } from "@wrenmq/auth-token";
import type { Logger } from "@wrenmq/plugin-api";
import { WatchedFile } from "@wrenmq/watched-file";
import type { Role } from "../define-command.ts";
import type { Principal } from "./principal.ts";

const LOOK_INTERVAL = 2_000;
const NO_DIGEST = Buffer.alloc(32);

export class AdminTokens {
  readonly #tokens: WatchedFile<ReadonlyMap<string, StoredToken>>;
  readonly #timer: { stop(): void };

  private constructor(tokens: WatchedFile<ReadonlyMap<string, StoredToken>>, timer: { stop(): void }) {
    this.#tokens = tokens;
    this.#timer = timer;
  }

  /** @throws PluginError ERR_PLUGIN_START when the file cannot be read or parsed */
  static async open(file: string, logger: Logger): Promise<AdminTokens> {
    let timer: NodeJS.Timeout | undefined;
    const setRepeating = (callback: () => void, interval: number): (() => void) => {
      timer = setInterval(callback, interval);
      timer.unref();
      return () => clearInterval(timer);
    };
    const tokens = await WatchedFile.open({
      file,
      parse: parseTokenFile,
      context: { name: "admin", logger, setInterval: setRepeating },
      interval: LOOK_INTERVAL,
    });
    return new AdminTokens(tokens, { stop: () => clearInterval(timer) });
  }

  /** Number of tokens with a role. */
  get size(): number {
    return [...this.#tokens.value.values()].filter(({ role }) => role !== undefined).length;
  }

  /** @returns undefined: there is no such token, or it has no role, or has expired */
  find(token: string, now: number): Omit<Principal, "address"> | undefined {
    const id = idOfToken(token);
    const stored = id === undefined ? undefined : this.#tokens.value.get(id);
    const expected = stored === undefined ? NO_DIGEST : Buffer.from(stored.sha256, "hex");
    const isRight = timingSafeEqual(digestOf(token), expected);
    return stored === undefined || !isRight ? undefined : callerOf(stored, now);
  }

  /** A function that finds the caller of a token again, as long as the token counts; it does not keep the token. */
  recheck(token: string): (now: number) => Omit<Principal, "address"> | undefined {
    const id = idOfToken(token) ?? "";
    const digest = digestOf(token).toString("hex");
    return (now) => {
      const stored = this.#tokens.value.get(id);
      return stored?.sha256.toLowerCase() === digest ? callerOf(stored, now) : undefined;
    };
  }

  close(): void {
    this.#timer.stop();
  }
}

function callerOf({ id, user, role, expires }: StoredToken, now: number): Omit<Principal, "address"> | undefined {
  if (role === undefined || (expires !== undefined && Date.parse(expires) <= now)) return undefined;
  return { role: role satisfies Role, who: `token ${id} of ${user}` };
}
