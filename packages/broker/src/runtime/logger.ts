// The logger of the broker and its plugins. Without a logger option nothing is logged. Values that clients choose are
// cut to a bounded length here.
import type { Logger } from "@wrenmq/plugin-api";

const ignore = (): void => {};

export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
  isLevelEnabled: () => false,
};

/** Characters of an identifier, a topic or any other single value. */
const LONGEST_VALUE = 256;
/** Characters of a sentence, such as a reason. */
const LONGEST_SENTENCE = 512;
/** Fields whose values are our sentences, which may quote a client. */
const SENTENCES: ReadonlySet<string> = new Set(["error", "reason", "such"]);
/** Fields that are left out when empty: clients of a Unix socket have no address, nor has a closed socket. */
const ADDRESSES: ReadonlySet<string> = new Set(["address", "remoteAddress"]);
const DEEPEST = 4;

type Level = "debug" | "info" | "warn" | "error";

/** The same logger, but long values are cut and marked: `aaaa… (60000 characters)`. */
export function boundedLogger(logger: Logger): Logger {
  const at =
    (level: Level) =>
    (fields: object, message: string): void => {
      if (logger.isLevelEnabled?.(level) === false) return;
      logger[level](isShort(fields) ? fields : boundedFields(fields), cut(message, LONGEST_SENTENCE));
    };
  const { isLevelEnabled } = logger;
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (bindings) => boundedLogger(logger.child(boundedFields(bindings))),
    ...(isLevelEnabled === undefined ? {} : { isLevelEnabled: (level: string) => isLevelEnabled.call(logger, level) }),
  };
}

/**
 * Certainly nothing has to be cut: true for nearly all lines, those about each client among them, which thousands that
 * connect at once pay for.
 */
function isShort(fields: object): boolean {
  if (!isPlain(fields)) return false;
  for (const key in fields) {
    const value = fields[key];
    if (typeof value === "object" || typeof value === "function") return false;
    if (typeof value === "string" && (value.length > LONGEST_VALUE || (value === "" && ADDRESSES.has(key))))
      return false;
  }
  return true;
}

/** Copies only if something has to be cut. */
function boundedFields(fields: object, depth = 0): object {
  if (!isPlain(fields)) return fields;
  let changed: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(fields)) {
    const bounded = boundedValue(value, SENTENCES.has(key) ? LONGEST_SENTENCE : LONGEST_VALUE, depth);
    const isEmptyAddress = value === "" && ADDRESSES.has(key);
    if (bounded === value && !isEmptyAddress) continue;
    changed ??= { ...fields } as Record<string, unknown>;
    if (isEmptyAddress) delete changed[key];
    else changed[key] = bounded;
  }
  return changed ?? fields;
}

function boundedValue(value: unknown, longest: number, depth: number): unknown {
  if (typeof value === "string") return cut(value, longest);
  if (typeof value !== "object" || value === null || depth === DEEPEST) return value;
  if (!Array.isArray(value)) return boundedFields(value, depth + 1);
  const items = value.map((item) => boundedValue(item, longest, depth + 1));
  return items.some((item, index) => item !== value[index]) ? items : value;
}

/** Errors and other class instances are left to the logger. */
function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const head = text.slice(0, longest).replace(/[\ud800-\udbff]$/, "");
  return `${head}… (${text.length} characters)`;
}
