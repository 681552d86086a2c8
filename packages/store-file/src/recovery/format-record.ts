// The record of a store's format, `format.json`, and the errors when it is not as it should be.
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "@wrenmq/store";
import { FORMAT_VERSION } from "../journal/format.ts";
import { isJournalName, type Problem } from "./recovery.ts";

const FORMAT_FILE = "format.json";

/** Migrations from each older format to the next one. */
const MIGRATIONS: ReadonlyMap<number, (directory: string) => void> = new Map([
  // Format 2 has more operations, and those of 1 are unchanged: only older code must not read it.
  [1, () => {}],
]);

/** Does the directory contain a store, or what may be left of one? */
export function holdsStore(directory: string): boolean {
  try {
    return readdirSync(directory).some((name) => name === FORMAT_FILE || isJournalName(name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}

/**
 * Changes nothing.
 * @returns what is wrong with the record
 * @throws StoreError ERR_STORE_FORMAT when it is newer than this code
 */
export function formatProblem(directory: string): Problem | undefined {
  const path = join(directory, FORMAT_FILE);
  const version = existsSync(path) ? readFormat(path) : FORMAT_VERSION;
  if (version === undefined) return { file: FORMAT_FILE, offset: 0, reason: "not a record of a format" };
  if (version > FORMAT_VERSION) throw newerFormat(directory, version);
  return undefined;
}

/**
 * Reads the record of the format, and migrates an older one.
 * @throws StoreError ERR_STORE_DAMAGED, ERR_STORE_FORMAT
 */
export function checkFormat(directory: string, onDamage: "refuse" | "setAside"): void {
  const path = join(directory, FORMAT_FILE);
  const problem = formatProblem(directory);
  if (problem !== undefined) {
    if (onDamage === "refuse") throw damaged(directory, [problem]);
    renameSync(path, `${path}.damaged-${timestamp()}`);
  }
  for (let version = readFormat(path) ?? FORMAT_VERSION; version < FORMAT_VERSION; version++) {
    const migrate = MIGRATIONS.get(version);
    if (migrate === undefined) {
      throw new StoreError("ERR_STORE_FORMAT", `the store ${directory} has format ${version}, which nothing migrates`);
    }
    migrate(directory);
    writeFormat(path, version + 1);
  }
  if (!existsSync(path)) writeFormat(path, FORMAT_VERSION);
}

export function damaged(directory: string, problems: readonly Problem[]): StoreError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return new StoreError(
    "ERR_STORE_DAMAGED",
    `the store ${directory} is damaged: ${first?.file} at byte ${first?.offset}: ${first?.reason}${more}. ` +
      "Nothing was changed. Restore it from a copy, or start once with on_damage: set-aside (in code: onDamage: " +
      '"setAside"), which renames the damaged files and goes on with what can be read.',
  );
}

export function newerFormat(directory: string, version: number): StoreError {
  return new StoreError(
    "ERR_STORE_FORMAT",
    `the store ${directory} has format ${version}, this version of WrenMQ reads up to ${FORMAT_VERSION}: update WrenMQ`,
  );
}

export function timestamp(): string {
  return new Date().toISOString().replaceAll(/[:.]/g, "-");
}

/** @returns undefined: it is not such a record, or cannot be read */
function readFormat(path: string): number | undefined {
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as { store?: unknown; version?: unknown };
    return record.store === "wrenmq" && typeof record.version === "number" ? record.version : undefined;
  } catch {
    return undefined;
  }
}

function writeFormat(path: string, version: number): void {
  writeFileSync(`${path}.new`, `${JSON.stringify({ store: "wrenmq", version })}\n`, { flush: true });
  renameSync(`${path}.new`, path);
}
