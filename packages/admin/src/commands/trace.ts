// Traces: what happens to one client, or to the messages of a topic, for a time.
import { isShared } from "@wrenmq/topics";
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { defineStream } from "../define-command.ts";
import { Recorder, type Tick } from "../recording/recorder.ts";
import { LineQueue } from "../streams/line-queue.ts";
import { orderedLines } from "../streams/ordered-lines.ts";
import type { TraceLine } from "../trace/records.ts";
import { clientId, topicFilter } from "./fields.ts";

/** What waits for the reader. */
const WAITING = { lines: 20_000, bytes: 8 * 1_048_576 } as const;
const MIB = 1_048_576;
/** Traces at the same time. */
const MOST_TRACES = 4;

export const traceRun = defineStream({
  name: "trace.run",
  summary: "Record what happens to a client, or to the messages of a topic: packets, decisions, queues, losses.",
  kind: "read",
  role: "operate",
  input: z
    .strictObject({
      client: clientId.optional().describe("the packets of this client, and what happens to its messages"),
      topic: topicFilter
        .refine((filter) => !isShared(filter), "expected a topic filter without $share")
        .optional()
        .describe("what happens to the messages of these topics"),
      seconds: z.int().min(1).max(3_600).default(60).describe("it ends after this time"),
      payloads: z.boolean().default(false).describe("with payloads, 64 KiB of each; passwords never"),
      maxBytes: z
        .int()
        .min(1_024)
        .max(1_024 * MIB)
        .default(64 * MIB)
        .describe("it ends when it is so long"),
    })
    .refine(({ client, topic }) => client !== undefined || topic !== undefined, "expected client or topic"),
  output: z
    .looseObject({ kind: z.string().describe("header, then packet, authorize, routed, …"), at: z.int() })
    .describe("a line of a trace file: see the types of @wrenmq/admin/trace"),
  cli: { words: "trace" },
  // The packets are at the client's home; messages are followed wherever they go.
  scope: "cluster",
  divide: (input, _index, count) => {
    const part = { ...input, maxBytes: Math.max(1_024, Math.ceil(input.maxBytes / count)), hasMoments: true };
    return part;
  },
  merge: (streams) => oneTrace(orderedLines(streams, (one, other) => momentOf(one) - momentOf(other))),
  run({ broker, clock, traces }, input, signal) {
    if (traces.size >= MOST_TRACES) {
      throw new AdminError("too_many_requests", `${MOST_TRACES} traces are running already`, { retryAfter: 10 });
    }
    const queue = new LineQueue<TraceLine | Tick>(WAITING, signal);
    const { client, topic, seconds, payloads, maxBytes } = input;
    const { hasMoments } = input as Partial<Divided>;
    const options = { client, topic, seconds, payloads, maxBytes, hasMoments: hasMoments === true };
    const recorder = new Recorder({ broker, clock, queue }, options);
    signal.addEventListener(
      "abort",
      () => {
        traces.delete(recorder);
        recorder.stop();
      },
      { once: true },
    );
    // If it cannot start, the signal is aborted too.
    traces.add(recorder);
    recorder.start();
    return linesOf(queue, () => broker.operations.now());
  },
});

/** A line as any JSON object. */
type Written = Record<string, unknown> & Pick<TraceLine | Tick, "kind" | "at">;
/** The same, of which the schema speaks. */
type AnyLine = Record<string, unknown> & { kind: string; at: number };

async function* linesOf(queue: LineQueue<TraceLine | Tick>, now: () => number): AsyncIterable<Written> {
  for (let taken = await queue.take(); taken !== undefined; taken = await queue.take()) {
    for (const line of taken.lines) {
      if (line.kind === "end" && taken.dropped > 0) yield { kind: "lost", at: line.at, records: taken.dropped };
      yield { ...line };
      if (line.kind === "end") return;
    }
    if (taken.dropped > 0) yield { kind: "lost", at: now(), records: taken.dropped };
  }
}

/** What a member is told besides the input: its lines will be put in order with those of others. */
interface Divided {
  readonly hasMoments: boolean;
}

/** Microseconds; what has no moment (lines that were lost) comes first. */
function momentOf(line: AnyLine): number {
  return Number(line["moment"] ?? 0);
}

/** Milliseconds by which the clocks that members read can differ from their order: they are read one after the other. */
const CLOCK_ERROR = 2;

/** The lines of all members, with one header and one end. */
async function* oneTrace(lines: AsyncIterable<AnyLine>): AsyncIterable<AnyLine> {
  let hasHeader = false;
  let end: AnyLine | undefined;
  let last = 0;
  for await (const { moment: _moment, ...given } of lines) {
    if (given.kind === "tick") continue;
    const isBehind = given.at < last && given.at >= last - CLOCK_ERROR;
    const line: AnyLine = isBehind ? { ...given, at: last } : given;
    last = Math.max(last, line.at);
    if (line.kind === "header") {
      if (!hasHeader) yield line;
      hasHeader = true;
    } else if (line.kind !== "end") yield line;
    else {
      const records = Number(line["records"]) + Number(end?.["records"] ?? 0);
      end = { ...line, records, reason: end?.["reason"] === "bytes" ? "bytes" : line["reason"] };
    }
  }
  if (end !== undefined) yield end;
}
