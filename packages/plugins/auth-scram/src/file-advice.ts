// Advice about the credentials of a SCRAM file for `config check`. The work of a login is done by the client.
import type { ScramCredentials } from "./credentials.ts";

const WEAK = 10_000;
const SLOW = 2_000_000;
const NAMED = 5;

/** @param credentials by user name */
export function scramFileAdvice(credentials: ReadonlyMap<string, ScramCredentials>): string[] {
  const users = [...credentials];
  const advice = (what: string, has: (iterations: number) => boolean): string[] => {
    const names = users.filter(([, { iterations }]) => has(iterations)).map(([name]) => name);
    if (names.length === 0) return [];
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    return [`users ${names.slice(0, NAMED).join(", ")}${more}: ${what}`];
  };
  return [
    ...advice(`fewer than ${WEAK} iterations: whoever gets the file tries passwords quickly`, (count) => count < WEAK),
    ...advice(`more than ${SLOW} iterations: a login takes its device long`, (count) => count > SLOW),
  ];
}
