// What can be wrong with a configuration, and how it is said: one line with file, line, column, key, expectation.
import { didYouMean } from "./suggest.ts";

/** Where something stands in a configuration. Lines and columns count from 1; absent for plain objects. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Dotted path of the key as the user wrote it; empty for the whole file. */
  readonly key: string;
}

export interface Diagnostic extends Place {
  /** A sentence without the place. */
  readonly message: string;
  /** What would have been right, e.g. `a duration such as 30s`. */
  readonly expected?: string;
}

/** `file:line:col: key: message`, without the parts that are unknown. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, key, message } = diagnostic;
  const position = line === undefined ? [] : [line, ...(column === undefined ? [] : [column])];
  const where = [file ?? (line === undefined ? "" : "<text>"), ...position].filter((part) => part !== "").join(":");
  return [where, key, message].filter((part) => part !== "").join(": ");
}

/** Thrown when a configuration cannot be used. `message` is the first mistake, `diagnostics` are all of them. */
export class ConfigError extends Error {
  readonly code = "ERR_CONFIG" as const;
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[], options?: ErrorOptions) {
    const first = diagnostics[0];
    super(first ? formatDiagnostic(first) : "invalid configuration", options);
    this.name = "ConfigError";
    this.diagnostics = diagnostics;
  }
}

/** Collects mistakes and warnings while a configuration is read, so that a user sees all of them at once. */
export class Problems {
  readonly errors: Diagnostic[] = [];
  readonly warnings: Diagnostic[] = [];

  error(place: Place, message: string, expected?: string): undefined {
    this.errors.push(diagnosticAt(place, message, expected));
    return undefined;
  }

  /** A key of a mapping that knows others. */
  unknownKey(place: Place, key: string, known: readonly string[]): undefined {
    if (known.length === 0) return this.error(place, "unknown key: none is expected here");
    const expected = known.length === 1 ? `${known[0]}` : `one of ${known.join(", ")}`;
    return this.error(place, `unknown key${didYouMean(key, known)}, expected ${expected}`, expected);
  }

  warn(place: Place, message: string): void {
    this.warnings.push(diagnosticAt(place, message));
  }

  throwIfAny(): void {
    if (this.errors.length > 0) throw new ConfigError(this.errors);
  }
}

export function diagnosticAt(place: Place, message: string, expected?: string): Diagnostic {
  const { file, line, column, key } = place;
  return {
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    key,
    message,
    ...(expected === undefined ? {} : { expected }),
  };
}

/** By file (the first that is named comes first), line and column; what has no place comes last. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ file }) => file))];
  const last = Number.POSITIVE_INFINITY;
  return [...diagnostics].sort(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) ||
      compare(a.line ?? last, b.line ?? last) ||
      compare(a.column ?? last, b.column ?? last),
  );
}

/** Of several mistakes at one key the first: the others follow from it. */
export function firstOfEachKey(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const first = new Map<string, Diagnostic>();
  for (const each of diagnostics) {
    const place = formatDiagnostic({ ...each, message: each.key === "" ? each.message : "" });
    if (!first.has(place)) first.set(place, each);
  }
  return [...first.values()];
}

const compare = (a: number, b: number): number => (a === b ? 0 : a - b);
