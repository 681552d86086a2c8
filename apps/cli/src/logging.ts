// Structured log lines on stderr: JSON for programs, or a readable form for people. Warnings and errors are written
// before the call returns, with everything before them. Other lines are written ten milliseconds later, and when the
// process exits: thousands of clients that connect at once do not cost a system call each. Only a SIGKILL takes those of
// the last ten milliseconds.
import type { LogSection } from "@wrenmq/config";
import { type DestinationStream, type Logger, pino } from "pino";
import { openLogFile, type WriteBytes } from "./log-file.ts";
import { printable } from "./printable.ts";

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

const WARN = 40;

/** @param writeBytes writes the bytes. Default: to stderr */
export function createLogger({ level, format = usualFormat() }: LogSection, writeBytes?: WriteBytes): Logger {
  const formatted = (line: string): string => (format === "json" ? line : readable(line));
  const file = openLogFile((lost, reason) => formatted(gapLine(lost, reason)), { writeBytes });
  const destination: LevelledDestination = {
    lastLevel: 0,
    write(line) {
      file.write(formatted(line));
      if (this.lastLevel >= WARN) file.flush();
    },
  };
  Object.assign(destination, { [pino.symbols.needsMetadataGsym]: true });
  // The broker logs errors as `err`; plugins of others may not.
  const serializers = { err: pino.stdSerializers.err, error: pino.stdSerializers.err };
  return pino({ level, base: null, timestamp: isoTime(), serializers }, destination);
}

/** pino says with which level it writes. */
interface LevelledDestination extends DestinationStream {
  lastLevel: number;
}

/** A logger that formats lines and writes none, to prepare for those that come. */
export function practiceLogger(log: LogSection): Logger {
  return createLogger(log, (bytes, at) => bytes.length - at);
}

/** The time in the form of pino's `isoTime`, which lines of the same millisecond share. */
function isoTime(): () => string {
  let last = 0;
  let text = "";
  return () => {
    const now = Date.now();
    if (now !== last) text = `,"time":"${new Date(now).toISOString()}"`;
    last = now;
    return text;
  };
}

/** Text on a terminal; otherwise programs read it. */
function usualFormat(): "text" | "json" {
  return process.stderr.isTTY ? "text" : "json";
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
  if (typeof value === "string" && /^[^\s"=\p{C}]+$/u.test(value)) return value;
  if (typeof value !== "object" || value === null || !("message" in value)) return quoted(value);
  if (!("stack" in value) || typeof value.stack !== "string") return quoted(value.message);
  // The stack contains the message; it is written in one line too.
  return quoted(value.stack.replaceAll(/\s*\n\s*/g, " "));
}

/** JSON escapes controls up to U+001F only. */
const quoted = (value: unknown): string => printable(JSON.stringify(value));

function gapLine(lost: number, reason: string): string {
  const fields = { level: 40, time: new Date().toISOString(), lost, reason, msg: "lines of the log were lost" };
  return `${JSON.stringify(fields)}\n`;
}
