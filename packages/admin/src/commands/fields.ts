// Input fields that several commands share.
import { isTopicFilter, isTopicName } from "@wrenmq/topics";
import { z } from "zod";

/** Entries of one page. */
export const MOST_ON_A_PAGE = 1_000;
const LONGEST_TEXT = 1_024;

const short = z.string().min(1).max(LONGEST_TEXT);

export const clientId = short.describe("client identifier");
export const topicName = z
  .string()
  .min(1)
  .max(65_535)
  .refine((topic) => isTopicName(topic), "expected a topic name (4.7: no wildcards)")
  .describe("topic name");
export const topicFilter = z
  .string()
  .min(1)
  .max(65_535)
  .refine((filter) => isTopicFilter(filter), "expected a topic filter (4.7)")
  .describe("topic filter");
export const qos = z.union([z.literal(0), z.literal(1), z.literal(2)]);
export const dryRun = z.boolean().default(false).describe("only say what would be done");
export const sampleMs = z
  .int()
  .min(0)
  .max(10_000)
  .default(1_000)
  .describe("milliseconds over which rates are measured; 0: no rates");

/** Fields of commands whose result comes in pages. */
export const paging = {
  descending: z.boolean().optional().describe("the largest first; by default so for numbers"),
  limit: z.int().min(1).max(MOST_ON_A_PAGE).default(100).describe("entries of a page"),
  cursor: z.string().max(4_096).optional().describe("the cursor of the page before"),
} as const;

/** Fields that select clients; a client must match all that are given. */
export const clientFilter = {
  clientId: clientId.optional().describe("exactly this client identifier"),
  prefix: short.optional().describe("client identifiers that begin so"),
  contains: short.optional().describe("client identifiers that contain this"),
  username: short.optional().describe("exactly this user name"),
  address: short.optional().describe("exactly this remote address"),
  listener: short.optional().describe("clients of this listener"),
} as const;

export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    cursor: z.string().optional().describe("absent: this is the last page"),
    matched: z.int().describe("all that match, on every page"),
    complete: z.boolean().describe("false: there was too much to look at within 5 s of work"),
  });
}

/** Seconds; null: for ever. */
export const lasting = z.number().nullable().describe("seconds; null: for ever");

export function secondsOf(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
