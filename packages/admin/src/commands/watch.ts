// Streams without an end: the numbers of the broker at intervals, and the messages that pass it.
import type { StoredMessage } from "@wrenmq/plugin-api";
import { isShared } from "@wrenmq/topics";
import { z } from "zod";
import { defineStream } from "../define-command.ts";
import { dropsByReason } from "../metrics/drops.ts";
import type { Sample } from "../metrics/stats-sampler.ts";
import { alignedLines } from "../streams/aligned-lines.ts";
import { interleave } from "../streams/interleave.ts";
import { LineQueue, pause } from "../streams/line-queue.ts";
import { topicFilter } from "./fields.ts";
import { largestOf, sumOf, sumsOf } from "./merging.ts";
import { payloadText } from "./payload-text.ts";

const SECOND = 1_000;

const statsLine = z.object({
  at: z.int().describe("epoch milliseconds, a multiple of `seconds`"),
  messages: z
    .object({ received: z.int(), sent: z.int(), dropped: z.int() })
    .describe("PUBLISH packets, and messages that did not reach somebody; totals since the start, as all counters"),
  bytes: z.object({ received: z.int(), sent: z.int() }).describe("of all packets"),
  droppedByReason: z.record(z.string(), z.int()).describe("every reason, those without a loss too"),
  connections: z.int().describe("clients that are connected"),
  sessions: z.int().describe("with and without a connection"),
  subscriptions: z.int(),
  retained: z.int(),
  queued: z.int().describe("messages that wait for their session"),
  heapBytes: z.int(),
  residentBytes: z.int(),
  loopDelayP99: z
    .number()
    .describe("seconds by which the event loop was late; this and latencies: of the worst second and worker"),
  latencyP50: z
    .number()
    .optional()
    .describe("seconds that messages took, from the read to the last write; absent: none was measured"),
  latencyP99: z.number().optional(),
  incomplete: z.array(z.string()).optional().describe("workers whose numbers are missing in this line"),
});

type StatsLine = z.input<typeof statsLine>;

/** The largest of the seconds of an interval, or of the members. */
interface Worst {
  readonly loopDelayP99: number;
  readonly latencyP50?: number | undefined;
  readonly latencyP99?: number | undefined;
}

function worstOf(parts: readonly Worst[]): Worst {
  const largest = (numbers: readonly (number | undefined)[]): number | undefined => {
    const known = numbers.filter((one) => one !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  return {
    loopDelayP99: largestOf(parts, "loopDelayP99"),
    latencyP50: largest(parts.map(({ latencyP50 }) => latencyP50)),
    latencyP99: largest(parts.map(({ latencyP99 }) => latencyP99)),
  };
}

function lineOf({ at, metrics, heapBytes, residentBytes }: Sample, worst: Worst): StatsLine {
  const droppedByReason = dropsByReason(metrics);
  const dropped = Object.values(droppedByReason).reduce((sum, count) => sum + count, 0);
  return {
    at,
    messages: { received: metrics.publishReceived, sent: metrics.publishSent, dropped },
    bytes: { received: metrics.bytesReceived, sent: metrics.bytesSent },
    droppedByReason,
    connections: metrics.clientsConnected,
    sessions: metrics.clientsTotal,
    subscriptions: metrics.subscriptions,
    retained: metrics.retained,
    queued: metrics.queued,
    heapBytes,
    residentBytes,
    ...worst,
  };
}

/** Makes lines of the samples, one for each interval. */
class Intervals {
  readonly #length: number;
  #seconds: Sample[] = [];

  constructor(seconds: number) {
    this.#length = seconds * SECOND;
  }

  /** @returns undefined: the interval is not over */
  add(sample: Sample): StatsLine | undefined {
    this.#seconds.push(sample);
    if (sample.at % this.#length !== 0) return undefined;
    const line = lineOf(sample, worstOf(this.#seconds));
    this.#seconds = [];
    return line;
  }
}

/** The line of all members. */
function mergedStats(lines: readonly [StatsLine, ...StatsLine[]]): StatsLine {
  const sum = (numberOf: (line: StatsLine) => number): number => lines.reduce((all, line) => all + numberOf(line), 0);
  return {
    at: lines[0].at,
    messages: {
      received: sum(({ messages }) => messages.received),
      sent: sum(({ messages }) => messages.sent),
      dropped: sum(({ messages }) => messages.dropped),
    },
    bytes: { received: sum(({ bytes }) => bytes.received), sent: sum(({ bytes }) => bytes.sent) },
    droppedByReason: sumsOf(lines.map(({ droppedByReason }) => droppedByReason)),
    connections: sumOf(lines, "connections"),
    sessions: sumOf(lines, "sessions"),
    subscriptions: sumOf(lines, "subscriptions"),
    // Every member has all of them.
    retained: largestOf(lines, "retained"),
    queued: sumOf(lines, "queued"),
    heapBytes: sumOf(lines, "heapBytes"),
    residentBytes: sumOf(lines, "residentBytes"),
    ...worstOf(lines),
  };
}

/** Lines that wait for a reader; one that is slower misses some. */
const MOST_STATS = 1_000;

export const statsWatch = defineStream({
  name: "stats.watch",
  summary: "Show the most important numbers at intervals: totals, of which the reader makes rates.",
  kind: "read",
  input: z.strictObject({
    seconds: z.int().min(1).max(60).default(1).describe("length of an interval"),
    history: z
      .boolean()
      .default(false)
      .describe("the last 15 minutes first, as far as somebody has watched within the last hour"),
  }),
  output: statsLine,
  cli: { words: "stats watch" },
  scope: "cluster",
  merge: (streams, _input, { answered, missing }, signal) =>
    alignedLines(streams, { names: answered, missing, signal, merge: mergedStats }),
  async *run({ samples }, { seconds, history }, signal) {
    const intervals = new Intervals(seconds);
    const queue = new LineQueue<StatsLine>({ lines: MOST_STATS, bytes: MOST_STATS }, signal);
    const add = (sample: Sample): void => {
      const line = intervals.add(sample);
      if (line !== undefined && queue.admits(1)) queue.push(line, 1);
    };
    const stop = samples.watch(add);
    try {
      if (history) for (const sample of samples.history) add(sample);
      for (let taken = await queue.take(); taken !== undefined; taken = await queue.take()) yield* taken.lines;
    } finally {
      stop();
    }
  },
});

const messageLine = z.object({
  at: z.int().describe("epoch milliseconds"),
  topic: z.string(),
  qos: z.int(),
  retain: z.boolean(),
  retained: z.literal(true).optional().describe("it was there before: a retained message"),
  publisher: z.string().describe("client identifier; empty: the server"),
  bytes: z.int().describe("of the whole payload"),
  encoding: z.enum(["utf8", "base64"]).describe("base64 where the payload is no text"),
  payload: z.string(),
  truncated: z.literal(true).optional().describe("the payload is longer than `payloadBytes`"),
  contentType: z.string().optional(),
  userProperties: z.array(z.tuple([z.string(), z.string()])).optional(),
});
const droppedLine = z.object({
  dropped: z.int().describe("messages that are left out here: there were more than the reader takes"),
});

type MessageLine = z.input<typeof messageLine>;

/** What waits for a reader: with the pause between two readings at most 5,000 messages, or 40 MiB, a second. */
const WAITING = { lines: 500, bytes: 4 * 1_048_576 } as const;
const PAUSE = 100;
/** Bytes of a line besides its strings. */
const LINE = 200;

function messageOf(message: StoredMessage, at: number, payloadBytes: number): MessageLine {
  const { topic, qos, retain, publisher, payload, properties } = message;
  const { contentType, userProperties } = properties ?? {};
  return {
    at,
    topic,
    qos,
    retain,
    publisher,
    bytes: payload.length,
    ...payloadText(payload, payloadBytes),
    ...(contentType === undefined ? {} : { contentType }),
    ...(userProperties === undefined || userProperties.length === 0
      ? {}
      : { userProperties: userProperties.map(([name, value]): [string, string] => [name, value]) }),
  };
}

/** An upper bound of the memory of the line, known before it is made. */
function weightOf({ topic, payload, properties }: StoredMessage, payloadBytes: number): number {
  const { contentType = "", userProperties = [] } = properties ?? {};
  let weight = LINE + topic.length + Math.min(payload.length, payloadBytes) * 2 + contentType.length;
  for (const [name, value] of userProperties) weight += name.length + value.length;
  return weight;
}

export const messagesWatch = defineStream({
  name: "messages.watch",
  summary: "Show the messages that pass the broker, the retained ones first; ends when the caller goes.",
  kind: "read",
  role: "operate",
  input: z.strictObject({
    filter: topicFilter
      .refine((filter) => !isShared(filter), "expected a topic filter without $share")
      .describe("topic filter; # does not match topics that begin with $"),
    limit: z.int().min(1).max(1_000_000_000).optional().describe("ends after so many messages"),
    payloadBytes: z.int().min(0).max(65_536).default(1_024).describe("of each payload"),
    retained: z.boolean().default(true).describe("the retained messages first"),
  }),
  output: z.union([messageLine, droppedLine]),
  cli: { words: "messages watch", arguments: ["filter"] },
  // A message is seen at the member where it is published; retained messages are everywhere.
  scope: "cluster",
  divide: (input, index) => (index === 0 ? input : { ...input, retained: false }),
  merge: (streams, { limit }) => upTo(limit, interleave(streams)),
  async *run({ broker }, { filter, limit = Number.POSITIVE_INFINITY, payloadBytes, retained }, signal) {
    const { operations } = broker;
    const queue = new LineQueue<MessageLine>(WAITING, signal);
    const stop = operations.watchMessages(filter, (message) => {
      const weight = weightOf(message, payloadBytes);
      if (queue.admits(weight)) queue.push(messageOf(message, operations.now(), payloadBytes), weight);
    });
    let count = 0;
    try {
      // The reader sets the pace of those that are there: they are read as they are asked for.
      for (const message of retained ? broker.retained(filter) : []) {
        if (signal.aborted) return;
        yield { ...messageOf(message, operations.now(), payloadBytes), retained: true as const };
        if (++count >= limit) return;
      }
      for (let taken = await queue.take(); taken !== undefined; taken = await queue.take()) {
        for (const line of taken.lines) {
          yield line;
          if (++count >= limit) return;
        }
        if (taken.dropped > 0) yield { dropped: taken.dropped };
        await pause(PAUSE, signal);
      }
    } finally {
      stop();
    }
  },
});

async function* upTo(
  limit: number = Number.POSITIVE_INFINITY,
  lines: AsyncIterable<z.input<typeof messageLine> | z.input<typeof droppedLine>>,
): AsyncIterable<z.input<typeof messageLine> | z.input<typeof droppedLine>> {
  let count = 0;
  for await (const line of lines) {
    yield line;
    if (!("dropped" in line) && ++count >= limit) return;
  }
}
