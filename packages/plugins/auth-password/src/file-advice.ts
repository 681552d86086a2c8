// Advice about the hashes of a password file for `config check`, in a few lines for any number of users.
import { adviceOnHash } from "@wrenmq/password-hash";
import type { PasswordEntry, PasswordFile } from "./password-file.ts";

const NAMED = 5;
const WHY = {
  slow: "verifying takes a core for a good part of a second at each login",
  "too slow": "that is more work than is done for anybody: these users cannot log in",
  weak: "whoever gets the file tries passwords quickly",
} as const;

/** Errors in the file are not repeated here. */
export function passwordFileAdvice({ entries }: Pick<PasswordFile, "entries">): string[] {
  const found = new Map<string, PasswordEntry[]>();
  for (const entry of entries.values()) {
    const advice = adviceOnHash(entry.hash);
    if (advice === undefined) continue;
    const what = `${advice.made}: ${WHY[advice.kind]}`;
    const same = found.get(what);
    if (same === undefined) found.set(what, [entry]);
    else same.push(entry);
  }
  return [...found].map(
    ([what, alike]) => `${usersOf(alike)}: ${what}; a new password ("wrenmq passwd FILE USER") gets argon2id`,
  );
}

function usersOf(entries: readonly PasswordEntry[]): string {
  const named = entries.slice(0, NAMED).map(({ username, line }) => `${username} (line ${line})`);
  const more = entries.length - named.length;
  const plural = entries.length === 1 ? "user" : "users";
  return `${plural} ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
