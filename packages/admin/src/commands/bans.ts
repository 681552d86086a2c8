// Commands that ban clients, users and addresses for a time.
import type { BanKind } from "@wrenmq/broker";
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { defineClusterCommand } from "../define-command.ts";
import { dateOf } from "./fields.ts";
import { sumOf } from "./merging.ts";

const YEAR = 366 * 86_400;
const kind = z.enum(["clientId", "username", "address"]).default("clientId").describe("what the value names");
const value = z.string().min(1).max(1_024).describe("client identifier, user name or address");

const ban = z.object({
  kind: z.enum(["clientId", "username", "address"]),
  value: z.string(),
  until: z.string().describe("ISO 8601"),
  reason: z.string().optional(),
});

export const clientsBan = defineClusterCommand({
  name: "clients.ban",
  summary: "Disconnect a client, a user or an address and keep it out for a time; a restart of the broker forgets it.",
  kind: "write",
  input: z.strictObject({
    value,
    kind,
    seconds: z.int().min(1).max(YEAR).default(3_600).describe("for how long"),
    reason: z.string().max(256).optional().describe("told to MQTT 5 clients"),
  }),
  output: z.object({ until: z.string(), disconnected: z.int() }),
  cli: { words: "ban", arguments: ["value"] },
  run({ broker }, { value: whom, kind: by, seconds, reason }) {
    const { operations } = broker;
    const until = operations.now() + seconds * 1000;
    const disconnected = operations.ban({ kind: by, value: whom, until, reason });
    if (disconnected === undefined) throw new AdminError("conflict", "there are 10,000 bans already");
    return { until: dateOf(until), disconnected };
  },
  merge: (parts) => ({ until: latest(parts), disconnected: sumOf(parts, "disconnected") }),
});

export const clientsUnban = defineClusterCommand({
  name: "clients.unban",
  summary: "Let a client, a user or an address in again.",
  kind: "write",
  input: z.strictObject({ value, kind }),
  output: z.object({ removed: z.boolean() }),
  cli: { words: "unban", arguments: ["value"] },
  run: ({ broker }, { value: whom, kind: by }) => ({ removed: broker.operations.unban(by as BanKind, whom) }),
  merge(parts, { value: whom, kind: by }) {
    if (parts.some(({ removed }) => removed)) return { removed: true };
    throw new AdminError("not_found", `there is no ban of ${by} "${whom}"`, { field: "value" });
  },
});

export const clientsBans = defineClusterCommand({
  name: "clients.bans",
  summary: "List who is kept out.",
  kind: "read",
  input: z.strictObject({}),
  output: z.object({ items: z.array(ban) }),
  cli: { words: "bans" },
  run: ({ broker }) => ({
    items: [...broker.operations.bans()].map(({ until, ...rest }) => ({ ...rest, until: dateOf(until) })),
  }),
  // All members have the same.
  merge(parts) {
    const items = parts.flatMap(({ items: own }) => own);
    return { items: [...new Map(items.map((one) => [`${one.kind} ${one.value}`, one])).values()] };
  },
});

function latest(parts: readonly { readonly until: string }[]): string {
  return (
    parts
      .map(({ until }) => until)
      .toSorted()
      .at(-1) ?? ""
  );
}
