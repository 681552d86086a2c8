// `wrenmq trace replay`: runs a trace through a simulated broker and prints where its answers differ.
import { type Difference, replay } from "@wrenmq/admin/replay";
import { recordText, type TracedPacket, type TraceHeader, type TraceRecord } from "@wrenmq/admin/trace";
import { CommandError } from "../errors.ts";
import { printable } from "../printable.ts";
import { readTraceFile } from "./trace.ts";

/** @throws CommandError when answers differ, the file is no trace, or has nothing to replay */
export async function replayTrace(file: string): Promise<void> {
  const records: TraceRecord[] = [];
  let header: TraceHeader | undefined;
  await readTraceFile(file, (reader, some) => {
    header = reader.header;
    for (const record of some) records.push(record);
  });
  if (header?.client === undefined) {
    throw new CommandError(`${file}: a trace of a topic has no packets to replay: expected one made with --client`);
  }
  const { at: start } = header;
  const report = await replay(header, records).catch((error: unknown) => {
    throw new CommandError(printable(`${file}: it cannot be replayed: ${(error as Error).message}`));
  });
  for (const note of report.notes) process.stdout.write(`note: ${printable(note)}\n`);
  for (const difference of report.differences) process.stdout.write(textOf(difference, start));
  const { sent, compared, differences } = report;
  process.stdout.write(`${sent} packets sent, ${compared} answers compared\n`);
  if (differences.length > 0) throw new CommandError(`${file}: the answers of this broker differ`);
}

function textOf({ at, client, connection, recorded, replayed }: Difference, start: number): string {
  const line = (packet: TracedPacket | undefined): string => {
    if (packet === undefined) return "nothing";
    return recordText({ kind: "packet", at, client, connection, direction: "out", packet }, start).trim();
  };
  return `recorded:  ${line(recorded)}\nreplayed:  ${line(replayed)}\n`;
}
