// Numbers, times and sizes as people read them. A space that does not break is between number and unit.

const GAP = "\u00a0";

export function count(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US", { maximumFractionDigits: 0 }) : "–";
}

/** 1 message, 2,000 messages */
export function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? "" : "s"}`;
}

/** As it was measured: 1,013.25 */
export function exact(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US", { maximumSignificantDigits: 8 }) : "–";
}

/** Three digits: 0.4, 12, 1.2k, 3.4M */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 999_950_000) return `${digits(value / 1e9)}G`;
  if (size >= 999_950) return `${digits(value / 1e6)}M`;
  if (size >= 9_999.5) return `${digits(value / 1e3)}k`;
  if (size >= 1_000) return count(value);
  return digits(value);
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const places = size >= 99.95 || Number.isInteger(value) ? 0 : size >= 0.995 ? 1 : 2;
  return value.toFixed(places);
}

export function perSecond(value: number): string {
  return `${short(value)}/s`;
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1_023.5 && unit < SIZES.length - 1) {
    size /= 1_024;
    unit++;
  }
  return `${unit === 0 ? Math.round(size) : digits(size)}${GAP}${SIZES[unit] ?? "B"}`;
}

export function bytesPerSecond(value: number): string {
  return `${bytes(value)}/s`;
}

/** Of a part of a second: 0.8 ms, 12 ms, 1.2 s */
export function latency(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds >= 1) return `${digits(seconds)}${GAP}s`;
  if (seconds > 0 && seconds < 0.001) return `${digits(seconds * 1e6)}${GAP}µs`;
  return `${digits(seconds * 1_000)}${GAP}ms`;
}

/** The two largest units: 12 s, 3 min 20 s, 5 h 2 min, 3 d 4 h */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "for ever";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}${GAP}s`;
  if (whole < 3_600) return pair(whole, 60, "min", 1, "s");
  if (whole < 86_400) return pair(whole, 3_600, "h", 60, "min");
  return pair(whole, 86_400, "d", 3_600, "h");
}

function pair(whole: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((whole % large) / small);
  const first = `${Math.floor(whole / large)}${GAP}${largeUnit}`;
  return rest === 0 ? first : `${first} ${rest}${GAP}${smallUnit}`;
}

/** @param date ISO 8601 */
export function since(date: string | undefined, now: number): string {
  const at = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(at) ? "–" : duration((now - at) / 1_000);
}

const two = (value: number): string => String(value).padStart(2, "0");

/** In the time zone of the reader: 14:03:21 */
export function clock(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** 14:03:21.042 */
export function clockWithMillis(at: number): string {
  return `${clock(at)}.${String(new Date(at).getMilliseconds()).padStart(3, "0")}`;
}

/** 2026-11-28 14:03 */
export function dateAndTime(date: string | number): string {
  const at = new Date(date);
  if (Number.isNaN(at.getTime())) return "–";
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
