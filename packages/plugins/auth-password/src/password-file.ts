// Parses the text of a password file: lines `user:hash`, empty lines and `#` comments. Does no I/O.
import { kindOfHash } from "@wrenmq/password-hash";

export interface PasswordEntry {
  readonly username: string;
  readonly hash: string;
  /** From 1. */
  readonly line: number;
}

export interface PasswordFile {
  readonly entries: ReadonlyMap<string, PasswordEntry>;
  /** Lines that cannot be used, with the reason. Never contains what follows the name in the line. */
  readonly mistakes: readonly { readonly line: number; readonly message: string }[];
}

/** @throws Error when not one line can be used: then this is not a password file */
export function parsePasswordFile(text: string): PasswordFile {
  const entries = new Map<string, PasswordEntry>();
  const mistakes: { line: number; message: string }[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === "" || content.startsWith("#")) continue;
    const colon = content.indexOf(":");
    const username = colon === -1 ? content : content.slice(0, colon);
    const hash = content.slice(colon + 1).trim();
    if (colon < 1) mistakes.push({ line, message: 'expected "user:hash"' });
    else if (entries.has(username))
      mistakes.push({ line, message: `user "${username}" occurs again; the first line counts` });
    else if (kindOfHash(hash) === undefined)
      mistakes.push({ line, message: `the hash of user "${username}" is of no known kind` });
    else entries.set(username, { username, hash, line });
  }
  const [first] = mistakes;
  if (entries.size === 0 && first !== undefined) throw new Error(`line ${first.line}: ${first.message}`);
  return { entries, mistakes };
}
