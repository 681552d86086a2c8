// `wrenmq trace`: writes what a running broker records to a file, and prints such files.
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { headerText, recordText, TraceError, TraceReader, type TraceRecord } from "@wrenmq/admin/trace";
import { CommandError } from "../errors.ts";
import { printable } from "../printable.ts";
import { tellMissing } from "./print.ts";
import { refusal } from "./run.ts";
import { clientOf, type TargetWords } from "./target.ts";

/** Until its end, or Ctrl-C: what was recorded until then is kept. @throws CommandError, UsageError */
export async function recordTrace(
  input: Readonly<Record<string, unknown>>,
  target: TargetWords,
  output: string | undefined,
): Promise<void> {
  const client = await clientOf(target).catch((error: unknown) => {
    throw refusal(error, []);
  });
  const leave = new AbortController();
  const interrupted = (): void => leave.abort();
  let stream: Writable | undefined;
  let count = 0;
  try {
    process.once("SIGINT", interrupted);
    for await (const line of client.stream("trace.run", input, leave.signal, tellMissing)) {
      // A file is made only when the broker has agreed.
      stream ??= output === undefined ? process.stdout : await newFile(output);
      if (!stream.write(`${line}\n`)) await once(stream, "drain");
      count++;
    }
    if (stream === undefined || output === undefined) return;
    stream.end();
    await once(stream, "finish");
    process.stderr.write(`${output}: ${count} lines; wrenmq trace show prints them\n`);
  } catch (error) {
    throw refusal(error, []);
  } finally {
    process.off("SIGINT", interrupted);
  }
}

/** For its owner alone: it has topics, user names, perhaps payloads. */
async function newFile(path: string): Promise<Writable> {
  try {
    const stream = createWriteStream(path, { flags: "wx", mode: 0o600 });
    await once(stream, "open");
    return stream;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw new CommandError(`${path}: the file is there already`);
    throw error;
  }
}

/** @throws CommandError naming the file and the line */
export async function showTrace(file: string): Promise<void> {
  let start: number | undefined;
  await readTraceFile(file, async (reader, records) => {
    const { header } = reader;
    if (header === undefined) return;
    if (start === undefined) await print(headerText(header));
    start ??= header.at;
    for (const record of records) await print(recordText(record, start));
  });
}

/** Reads a file piece by piece. @throws CommandError naming the file and the line */
export async function readTraceFile(
  file: string,
  each: (reader: TraceReader, records: readonly TraceRecord[]) => Promise<void> | void,
): Promise<void> {
  const reader = new TraceReader();
  try {
    for await (const piece of createReadStream(file, { encoding: "utf8" }) as AsyncIterable<string>) {
      await each(reader, reader.push(piece));
    }
    reader.end();
  } catch (error) {
    if (error instanceof TraceError) throw new CommandError(printable(`${file}: ${error.message}`));
    throw error;
  }
}

async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
}
