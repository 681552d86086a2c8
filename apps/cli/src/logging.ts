// Structured lines on stderr: JSON for machines, or a readable form for people. Both are written before the call
// returns, so that the last words of a process are never lost.
import { writeSync } from "node:fs";
import type { LogSection } from "@wrenmq/config";
import { type DestinationStream, type Logger, pino } from "pino";

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

export function createLogger({ level, format }: LogSection): Logger {
  const destination: DestinationStream = {
    write: (line) => put(format === "json" ? line : readable(line)),
  };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** `12:30:01.250 info  listening listener=default address=mqtt://127.0.0.1:1883` */
export function readable(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = typeof time === "string" ? time.slice(11, 23) : "";
  const name = (LEVELS[Number(level)] ?? String(level)).padEnd(5);
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return `${clock} ${name} ${typeof msg === "string" ? msg : ""}${rest.join("")}\n`;
}

function fieldText(value: unknown): string {
  if (typeof value === "string" && /^[^\s"=]+$/.test(value)) return value;
  if (typeof value === "object" && value !== null && "message" in value) return JSON.stringify(value.message);
  return JSON.stringify(value);
}

function put(text: string): void {
  try {
    writeSync(2, text);
  } catch (error) {
    // Nobody reads (EPIPE), or not fast enough (EAGAIN): a broker does not stop for its log.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EPIPE" && code !== "EAGAIN") throw error;
  }
}
