// Remembers what was logged.
import type { Logger } from "@wrenmq/plugin-api";

export class MemoryLogger implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: "debug", message, fields });
  }
  info(fields: object, message: string): void {
    this.lines.push({ level: "info", message, fields });
  }
  warn(fields: object, message: string): void {
    this.lines.push({ level: "warn", message, fields });
  }
  error(fields: object, message: string): void {
    this.lines.push({ level: "error", message, fields });
  }
  child(): Logger {
    return this;
  }
}
