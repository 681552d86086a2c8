// The time line of a trace: its lines in words, in groups, and those that are looked for.
import { headerText, recordParts, type TraceHeader, TraceReader, type TraceRecord } from "@wrenmq/admin/trace";

/** What a line is about. */
export type Group = "packet" | "decision" | "message" | "loss" | "other";

export interface Entry {
  readonly number: number;
  /** Since the beginning of the trace. */
  readonly seconds: string;
  readonly text: string;
  readonly group: Group;
  readonly record: TraceRecord;
}

export type Only = "all" | Exclude<Group, "other">;

function groupOf(record: TraceRecord): Group {
  switch (record.kind) {
    case "packet":
    case "disconnected":
      return "packet";
    case "authorize":
      return record.reasonCode < 0x80 ? "decision" : "loss";
    case "explain":
      return "decision";
    case "routed":
    case "delivered":
    case "queued":
      return "message";
    case "dropped":
    case "refused":
    case "lost":
      return "loss";
    case "state":
    case "end":
      return "other";
  }
}

/** Reads a trace in pieces of any size, from the broker or of a file. */
export class TimeLine {
  readonly #reader = new TraceReader();
  /** All lines; it grows. */
  readonly entries: Entry[] = [];
  /** Characters that were read. */
  size: number = 0;

  get header(): TraceHeader | undefined {
    return this.#reader.header;
  }

  get title(): string {
    return this.header === undefined ? "" : headerText(this.header);
  }

  /** @throws TraceError */
  push(text: string): void {
    this.size += text.length;
    const records = this.#reader.push(text);
    const start = this.header?.at ?? 0;
    for (const record of records) {
      const number = this.entries.length;
      this.entries.push({ number, ...recordParts(record, start), group: groupOf(record), record });
    }
  }

  /** The file has ended. @throws TraceError */
  end(): void {
    this.#reader.end();
  }

  /** How many of each group. */
  counts(): Readonly<Record<Group, number>> {
    const counts: Record<Group, number> = { packet: 0, decision: 0, message: 0, loss: 0, other: 0 };
    for (const { group } of this.entries) counts[group]++;
    return counts;
  }

  /** The lines of a group that contain a text, whatever its case. */
  found(only: Only, text: string): readonly Entry[] {
    if (only === "all" && text === "") return this.entries;
    const wanted = text.toLowerCase();
    return this.entries.filter(
      (entry) =>
        (only === "all" || entry.group === only) && (wanted === "" || entry.text.toLowerCase().includes(wanted)),
    );
  }
}

/** A name for the file of a trace: no character that a file system could mind. */
export function traceFileName({ client, topic, at }: TraceHeader): string {
  const what = (client ?? topic ?? "trace").replaceAll(/[^\p{L}\p{N}.-]+/gu, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
  const when = new Date(at).toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  return `${what === "" ? "trace" : what.slice(0, 60)}-${when}.trace`;
}
