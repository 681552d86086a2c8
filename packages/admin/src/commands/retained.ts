// Commands about retained messages: list, show, delete, export.
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { type CommandContext, defineCommand, defineStream } from "../define-command.ts";
import { mergePages, pageOf } from "../pages.ts";
import { SCAN_PATIENCE, SlicedScan } from "../scan.ts";
import { dateOf, dryRun, pageSchema, paging, topicFilter, topicName } from "./fields.ts";
import { payloadText } from "./payload-text.ts";

/** The largest time that `Date` can represent, in epoch milliseconds: beyond it a message never expires. */
const LAST_DATE = 8.64e15;
const MOST_SHOWN = 100;

type Retained = ReturnType<CommandContext["broker"]["retained"]> extends Iterable<infer One> ? One : never;

const about = {
  topic: z.string(),
  qos: z.int(),
  bytes: z.int().describe("of the payload"),
  publisher: z.string().describe("client identifier; empty: the server"),
  expiresAt: z.string().optional().describe("ISO 8601; absent: never"),
} as const;
const content = {
  encoding: z.enum(["utf8", "base64"]).describe("base64 where the payload is no text"),
  payload: z.string(),
  contentType: z.string().optional(),
  responseTopic: z.string().optional(),
  userProperties: z.array(z.tuple([z.string(), z.string()])).optional(),
} as const;
const entry = z.object(about);
const whole = z.object({ ...about, ...content });

function aboutOf({ topic, qos, payload, publisher, expiresAt }: Retained): z.input<typeof entry> {
  const ends = expiresAt < LAST_DATE ? dateOf(expiresAt) : undefined;
  return { topic, qos, bytes: payload.length, publisher, expiresAt: ends };
}

function wholeOf(message: Retained, payloadBytes?: number): z.input<typeof whole> & { truncated?: true } {
  const { properties, payload } = message;
  return {
    ...aboutOf(message),
    ...payloadText(payload, payloadBytes),
    contentType: properties?.contentType,
    responseTopic: properties?.responseTopic,
    userProperties: properties?.userProperties?.map(([name, value]): [string, string] => [name, value]),
  };
}

export const retainedList = defineCommand({
  name: "retained.list",
  summary: "List retained messages without their payloads.",
  kind: "read",
  input: z.strictObject({
    filter: topicFilter.default("#"),
    contains: z.string().min(1).max(1_024).optional().describe("topics that contain this"),
    sort: z.enum(["topic", "bytes"]).default("topic"),
    ...paging,
  }),
  output: pageSchema(entry),
  cli: { words: "retained" },
  // Every member has all retained messages.
  scope: "any",
  patience: () => SCAN_PATIENCE,
  async run({ broker, scans }, { filter, contains, sort, descending: isDescending, limit, cursor }) {
    const order = { descending: isDescending ?? sort === "bytes", limit, cursor };
    const page = await pageOf(scans, {
      entries: broker.retained(filter),
      matches: ({ topic }) => contains === undefined || topic.includes(contains),
      key: (message) => (sort === "topic" ? message.topic : message.payload.length),
      identity: ({ topic }) => topic,
      show: aboutOf,
      ...order,
    });
    return mergePages([page], order);
  },
});

export const retainedGet = defineCommand({
  name: "retained.get",
  summary: "Show the retained message of a topic with its payload.",
  kind: "read",
  role: "operate",
  input: z.strictObject({
    topic: topicName,
    payloadBytes: z.int().min(0).max(268_435_455).optional().describe("of the payload; absent: all of it"),
  }),
  output: whole.extend({
    truncated: z.literal(true).optional().describe("the payload is longer than `payloadBytes`"),
  }),
  cli: { words: "retained get", arguments: ["topic"] },
  scope: "any",
  run({ broker }, { topic, payloadBytes }) {
    const message = broker.operations.retainedAt(topic);
    if (message === undefined) {
      throw new AdminError("not_found", `there is no retained message of "${topic}"`, { field: "topic" });
    }
    return wholeOf(message, payloadBytes);
  },
});

export const retainedDelete = defineCommand({
  name: "retained.delete",
  summary: "Delete the retained messages that a filter matches.",
  kind: "danger",
  input: z.strictObject({ filter: topicFilter, dryRun }),
  output: z.object({
    matched: z.int(),
    deleted: z.int(),
    topics: z.array(z.string()).describe("the first 100"),
    complete: z.boolean(),
  }),
  cli: { words: "retained delete", arguments: ["filter"] },
  scope: "any",
  patience: () => SCAN_PATIENCE,
  async run({ broker, scans }, { filter, dryRun: isDry }) {
    const leave = await scans.enter();
    try {
      const topics: string[] = [];
      let [matched, deleted] = [0, 0];
      const scan = new SlicedScan(broker.retained(filter));
      await scan.run(({ topic }) => {
        matched++;
        if (topics.length < MOST_SHOWN) topics.push(topic);
        if (isDry) return undefined;
        broker.retain(topic, "");
        deleted++;
        return undefined;
      });
      return { matched, deleted, topics, complete: scan.complete };
    } finally {
      leave();
    }
  },
});

export const retainedExport = defineStream({
  name: "retained.export",
  summary: "Write out retained messages with their payloads, one JSON object per line.",
  kind: "read",
  role: "operate",
  input: z.strictObject({ filter: topicFilter.default("#") }),
  output: whole,
  cli: { words: "retained export" },
  scope: "any",
  async *run({ broker }, { filter }) {
    // The reader sets the pace: messages are read as they are asked for.
    for (const message of broker.retained(filter)) yield wholeOf(message);
  },
});
