// Types of values: durations, sizes and rates. They are always written with a unit, so that a value cannot be misread.
import { scalarType, type ValueType } from "./value-type.ts";

const DURATIONS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** Milliseconds of `1h30m`, `500ms`, `1.5s`; undefined if it is not a duration. */
export function parseDuration(written: string): number | undefined {
  const parts = [...written.trim().matchAll(/(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)\s*/gy)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== written.trim()) return undefined;
  let total = 0;
  for (const [, amount, unit] of parts) total += Number(amount) * (DURATIONS.find(([name]) => name === unit)?.[1] ?? 0);
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
}

/** A number of milliseconds in the shortest exact form. */
export function formatDuration(milliseconds: number): string {
  const [unit, factor] = DURATIONS.find(([, each]) => milliseconds >= each && milliseconds % each === 0) ?? ["s", 1000];
  return `${milliseconds / factor}${unit}`;
}

/**
 * A duration, stored in `unit`. A bare number other than 0 is an error, as it would be ambiguous.
 * @param options.positive 0 is not allowed
 */
export function duration(unit: "ms" | "s", options: { zeroIs?: string; positive?: boolean } = {}): ValueType<number> {
  const { positive = false } = options;
  const factor = unit === "ms" ? 1 : 1000;
  const expected = `a duration such as 30s${positive ? ", longer than 0" : ""}${options.zeroIs ? ` (or ${options.zeroIs})` : ""}`;
  return scalarType({
    expected,
    schema: {
      anyOf: [
        { type: "string", pattern: "^\\s*(\\d+(\\.\\d+)?\\s*(ms|d|h|m|s)\\s*)+$" },
        ...(positive ? [] : [{ const: 0 }]),
        ...(options.zeroIs ? [{ const: options.zeroIs }] : []),
      ],
    },
    parse: ({ value, text }) => {
      if (options.zeroIs !== undefined && value === options.zeroIs) return 0;
      const milliseconds = value === 0 ? 0 : typeof value === "string" ? parseDuration(text) : undefined;
      if (positive && milliseconds === 0) return undefined;
      return milliseconds === undefined || milliseconds % factor !== 0 ? undefined : milliseconds / factor;
    },
    hint: ({ value, text }) => (typeof value === "number" ? ` (write ${text}s or ${text}ms)` : ""),
    write: (value) => (value === 0 && options.zeroIs ? options.zeroIs : formatDuration(value * factor)),
  });
}

const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Bytes of `16MiB` (1024²), `16MB` (1000²), `4096`; undefined if it is not a size. */
export function parseSize(written: string): number | undefined {
  const parts = /^\s*(\d+(?:\.\d+)?)\s*([kKMG]i?B|B)?\s*$/.exec(written);
  const factor = SIZES[parts?.[2] ?? "B"];
  if (!parts || factor === undefined) return undefined;
  const bytes = Number(parts[1]) * factor;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export function formatSize(bytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"]) {
    const factor = SIZES[unit] ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

/** A size in bytes; 0 (or `unlimited`) means no limit where `unlimited` is allowed. */
export function size(options: { unlimited?: boolean; minimum?: number; maximum?: number } = {}): ValueType<number> {
  const { unlimited = false, minimum = unlimited ? 0 : 1, maximum = Number.MAX_SAFE_INTEGER } = options;
  const range = maximum < Number.MAX_SAFE_INTEGER ? ` up to ${formatSize(maximum)}` : "";
  return scalarType({
    expected: `a size such as 16MiB${range}${unlimited ? ", or unlimited" : ""}`,
    schema: {
      anyOf: [
        { type: "integer", minimum, ...(range ? { maximum } : {}) },
        { type: "string", pattern: "^\\s*\\d+(\\.\\d+)?\\s*([kKMG]i?B|B)?\\s*$" },
        ...(unlimited ? [{ const: "unlimited" }] : []),
      ],
    },
    parse: ({ value, text }) => {
      if (unlimited && value === "unlimited") return 0;
      const bytes = typeof value === "boolean" ? undefined : parseSize(text);
      return bytes === undefined || bytes < minimum || bytes > maximum ? undefined : bytes;
    },
    write: (value) => (value === 0 && unlimited ? "unlimited" : formatSize(value)),
  });
}

const PER: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Events (or bytes) per second from `100/s`, `1MiB/s`, `600/m`; 0 or `unlimited`: no limit. */
export function rate(of: "count" | "size"): ValueType<number> {
  const example = of === "count" ? "100/s" : "1MiB/s";
  return scalarType({
    expected: `a rate such as ${example}, or unlimited`,
    schema: {
      anyOf: [
        { type: "string", pattern: "^\\s*\\d+(\\.\\d+)?\\s*([kKMG]i?B|B)?\\s*/\\s*[smh]\\s*$" },
        { enum: [0, "unlimited"] },
      ],
    },
    parse: ({ value, text }) => {
      if (value === 0 || value === "unlimited") return 0;
      const parts = /^(.*)\/\s*([smh])\s*$/.exec(text);
      const amount = of === "size" ? parseSize(parts?.[1] ?? "") : parseCount(parts?.[1] ?? "");
      return parts && amount !== undefined ? amount / (PER[parts[2] ?? "s"] ?? 1) : undefined;
    },
    hint: ({ value, text }) => (typeof value === "number" ? ` (write ${text}/s)` : ""),
    write: (value) => (value === 0 ? "unlimited" : writeRate(value, of)),
  });
}

const parseCount = (written: string): number | undefined =>
  /^\s*\d+(\.\d+)?\s*$/.test(written) ? Number(written) : undefined;

function writeRate(perSecond: number, of: "count" | "size"): string {
  const unit = (["s", "m", "h"] as const).find((each) => Number.isInteger(perSecond * (PER[each] ?? 1))) ?? "h";
  const amount = Math.round(perSecond * (PER[unit] ?? 1));
  return `${of === "size" ? formatSize(amount) : amount}/${unit}`;
}
