// Prints answers for people: lists as tables, everything else as lines of name and value. Clients choose their
// identifiers and topics, so control characters in them are escaped.
import { printable } from "../printable.ts";

const WIDEST = 48;

export function printAnswer(answer: unknown, asJson: boolean): void {
  process.stdout.write(asJson ? `${JSON.stringify(answer, undefined, 2)}\n` : answerText(answer));
  const { cursor, matched, complete, items, incomplete } = answer as Partial<Record<string, unknown>>;
  if (!asJson && Array.isArray(incomplete)) tellMissing(incomplete.join(", "));
  if (asJson || !Array.isArray(items)) return;
  if (complete === false) process.stderr.write("there is too much to look at: this is a part of it\n");
  if (typeof cursor === "string") process.stderr.write(`${String(matched)} in all; next page: --cursor ${cursor}\n`);
}

export function tellMissing(members: string): void {
  process.stderr.write(`no answer from ${printable(members)}: what it has is missing here\n`);
}

export function answerText(answer: unknown): string {
  if (typeof answer !== "object" || answer === null) return `${cell(answer)}\n`;
  const { incomplete: _incomplete, ...all } = answer as Record<string, unknown>;
  const { items, cursor: _cursor, matched: _matched, complete: _complete, ...rest } = all;
  if (!Array.isArray(items)) return linesOf(all, "").join("");
  const others = Object.keys(rest).length === 0 ? "" : linesOf(rest, "").join("");
  return `${tableOf(items as Record<string, unknown>[])}${others}`;
}

function tableOf(rows: readonly Record<string, unknown>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0) return "none\n";
  const cells = [columns, ...rows.map((row) => columns.map((column) => shortened(cell(row[column]))))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => (line[index] ?? "").length)));
  return cells
    .map(
      (line) =>
        `${line
          .map((text, index) => text.padEnd(widths[index] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function linesOf(values: Readonly<Record<string, unknown>>, indent: string): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const label = `${indent}${cell(name)}:`;
    if (typeof value !== "object" || value === null) return [`${label} ${cell(value)}\n`];
    if (!Array.isArray(value)) {
      const inner = linesOf(value as Record<string, unknown>, `${indent}  `);
      return inner.length === 0 ? [] : [`${label}\n`, ...inner];
    }
    if (value.length === 0) return [];
    const isPlain = value.every((one) => typeof one !== "object" || one === null);
    if (isPlain) return [`${label} ${value.map(cell).join(", ")}\n`];
    if (value.every(Array.isArray))
      return [`${label} ${value.map((pair: unknown[]) => pair.map(cell).join("=")).join(", ")}\n`];
    const table = tableOf(value as Record<string, unknown>[]);
    return [
      `${label}\n`,
      ...table
        .trimEnd()
        .split("\n")
        .map((line) => `${indent}  ${line}\n`),
    ];
  });
}

function cell(value: unknown): string {
  if (value === undefined) return "";
  if (value === null) return "-";
  if (typeof value === "object") return printable(JSON.stringify(value));
  return printable(String(value));
}

function shortened(text: string): string {
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text;
}
