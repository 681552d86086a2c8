// Removes what a store has left in a directory, for one that begins empty.
import { readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";

/** Files of the journal, what was set aside of them, and the record of the format. Not the lock, nor what is not ours. */
const OURS = /^(?:\d{8,10}\.journal|format\.json)(?:\.new|\.(?:torn|damaged)-.+)?$/;

/** The caller has the lock. */
export function removeStore(directory: string): void {
  // Oldest first: what an interruption leaves is the end of a journal, which nobody takes for a whole one.
  const names = readdirSync(directory).filter((name) => OURS.test(name));
  for (const name of names.toSorted()) unlinkSync(join(directory, name));
}
