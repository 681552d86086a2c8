// Errors and warnings of a configuration; each is one line with file, line, column, key and expected value.
import { didYouMean } from "@wrenmq/plugin-api/options";

/** A position in a configuration. Lines and columns count from 1; plain objects have none. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Dotted path of the key as the user wrote it; empty for the whole file. */
  readonly key: string;
}

export interface Diagnostic extends Place {
  /** One sentence, without the place. */
  readonly message: string;
  /** What would be right, such as `a duration such as 30s`. */
  readonly expected?: string;
}

/** `file:line:col: key: message`, without the parts that are unknown. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, key, message } = diagnostic;
  const position = line === undefined ? [] : [line, ...(column === undefined ? [] : [column])];
  const where = [file ?? (line === undefined ? "" : "<text>"), ...position].filter((part) => part !== "").join(":");
  return [where, key, message].filter((part) => part !== "").join(": ");
}

/** Thrown when a configuration cannot be used. `message` is the first error, `diagnostics` are all of them. */
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

/** Collects errors and warnings while a configuration is read, so that a user sees all of them at once. */
export class Problems {
  readonly errors: Diagnostic[] = [];
  readonly warnings: Diagnostic[] = [];

  error(place: Place, message: string, expected?: string): undefined {
    this.errors.push(diagnosticAt(place, message, expected));
    return undefined;
  }

  /** Reports a key that the mapping does not have. */
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

/** Sorts by file (in the order in which files are first named), line and column; what has no place comes last. */
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

/** Drops errors that follow from others: a value with an error inside is not reported as unexpected too. */
export function withoutConsequences(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const places = new Set<string>();
  return diagnostics.filter((each) => {
    const place = formatDiagnostic({ ...each, message: "" });
    if (places.has(place) && each.message.startsWith("expected ")) return false;
    places.add(place);
    return true;
  });
}

const compare = (a: number, b: number): number => (a === b ? 0 : a - b);
