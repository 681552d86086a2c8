// Parsers of option values that several commands use.
import { InvalidArgumentError } from "commander";

export function portNumber(word: string): number {
  const port = Number(word);
  if (/^\d+$/.test(word) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
}

/** For an option that may be repeated. */
export function collect(word: string, before: readonly string[] = []): string[] {
  return [...before, word];
}
