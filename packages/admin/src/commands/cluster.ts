// The cluster that the broker is a member of, as this member sees it, and what operators change about it.
import type { Broker, ClusterReport, ClusterSteering } from "@wrenmq/broker";
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { defineClusterCommand, defineCommand } from "../define-command.ts";

const member = z.object({
  id: z.int(),
  name: z.string(),
  version: z.string(),
  state: z
    .enum(["up", "away", "joining"])
    .describe("away: it was not heard of lately; joining: it serves no clients yet; a dead one is in no list"),
  isSelf: z.boolean().describe("is it the one that answers?"),
  partitions: z.int().describe("how many it serves"),
  silenceMs: z.int().describe("since it was heard of"),
  unconfirmedBytes: z.int().describe("sent to it by the one that answers, and not confirmed"),
  isDraining: z.boolean().describe("does an operator empty it (cluster drain)?"),
});

const partition = z.object({
  partition: z.int(),
  member: z.string().optional().describe("name of the member that serves it; absent: there is none at present"),
  wished: z.string().optional().describe("where an operator wants it to be (cluster move)"),
  run: z.int().optional().describe("how often it was given to a member; absent: its sessions are in memory"),
});

const name = z.string().min(1).max(256);

function clusterOf(broker: Broker): ClusterReport {
  const { cluster } = broker.operations;
  if (cluster === undefined) throw new AdminError("unavailable", "this broker is no member of a cluster");
  return cluster;
}

function steeringOf(broker: Broker): ClusterSteering {
  const { steering } = broker.operations;
  if (steering === undefined) throw new AdminError("unavailable", "this broker is no member of a cluster");
  return steering;
}

export const clusterStatus = defineClusterCommand({
  name: "cluster.status",
  summary: "Say how the cluster does, as the member that is asked sees it.",
  kind: "read",
  input: z.strictObject({}),
  output: z.object({
    name: z.string(),
    members: z.int(),
    up: z.int().describe("members that were heard of lately and serve clients"),
    isConnected: z.boolean().describe("is the member that is asked connected to NATS?"),
    isCertain: z
      .boolean()
      .describe("may it acknowledge messages? If not, the others may have replaced it, and acknowledgements wait"),
    server: z.string().describe("the NATS server that it uses"),
    partitions: z.int(),
    unservedPartitions: z.int().describe("their clients cannot connect at present"),
  }),
  cli: { words: "cluster status" },
  run({ broker }) {
    const { name, members, isConnected, isCertain, server, unserved } = clusterOf(broker);
    const served = members.reduce((sum, { partitions }) => sum + partitions, 0);
    return {
      name,
      members: members.length,
      up: members.filter(({ state }) => state === "up").length,
      isConnected,
      isCertain,
      server,
      partitions: served + unserved,
      unservedPartitions: unserved,
    };
  },
  merge: ([first]) => first,
});

export const clusterMembers = defineClusterCommand({
  name: "cluster.members",
  summary: "List the members of the cluster, as the member that is asked sees them.",
  kind: "read",
  input: z.strictObject({}),
  output: z.object({ items: z.array(member) }),
  cli: { words: "cluster members" },
  run: ({ broker }) => ({
    items: clusterOf(broker).members.map(({ silence, unconfirmed, ...rest }) => ({
      ...rest,
      silenceMs: Math.round(silence),
      unconfirmedBytes: unconfirmed,
    })),
  }),
  merge: ([first]) => first,
});

export const clusterPartitions = defineClusterCommand({
  name: "cluster.partitions",
  summary: "List the partitions of the clients, and the member that serves each.",
  kind: "read",
  input: z.strictObject({}),
  output: z.object({ items: z.array(partition) }),
  cli: { words: "cluster partitions" },
  run({ broker }) {
    const { members, partitions } = clusterOf(broker);
    const named = (id: number | undefined): string | undefined => members.find((one) => one.id === id)?.name;
    const items = partitions.map(({ partition: number, owner, run, wished: wanted }) => {
      const [owned, wished] = [named(owner), named(wanted)];
      return {
        partition: number,
        ...(owned === undefined ? {} : { member: owned }),
        ...(wished === undefined ? {} : { wished }),
        ...(run === undefined ? {} : { run }),
      };
    });
    return { items };
  },
  merge: ([first]) => first,
});

export const clusterDrain = defineCommand({
  name: "cluster.drain",
  summary: "Give what a member of the cluster serves to the others, one shard after the other, or take that back.",
  kind: "write",
  scope: "any",
  input: z.strictObject({
    member: name.describe("its name"),
    cancel: z.boolean().default(false).describe("let it serve clients again"),
  }),
  output: z.object({
    member: z.string(),
    isDraining: z.boolean(),
    partitions: z.int().describe("that it still serves"),
  }),
  cli: { words: "cluster drain", arguments: ["member"] },
  async run({ broker }, { member: called, cancel }) {
    await steeringOf(broker).drain(called, !cancel);
    const one = clusterOf(broker).members.find(({ name: known }) => known === called);
    return { member: called, isDraining: !cancel, partitions: one?.partitions ?? 0 };
  },
});

export const clusterMove = defineCommand({
  name: "cluster.move",
  summary: "Give a shard to a member of the cluster; it stays there while that member can have it.",
  kind: "write",
  scope: "any",
  input: z.strictObject({
    partition: z.coerce.number().int().min(0).max(255),
    member: name.describe("the name of the member that is to have it"),
  }),
  output: z.object({ partition: z.int(), from: z.string().optional(), to: z.string() }),
  cli: { words: "cluster move", arguments: ["partition", "member"] },
  async run({ broker }, { partition: number, member: to }) {
    const { members, partitions } = clusterOf(broker);
    const owner = partitions.find((one) => one.partition === number)?.owner;
    const from = members.find(({ id }) => id === owner)?.name;
    await steeringOf(broker).move(number, to);
    return { partition: number, ...(from === undefined ? {} : { from }), to };
  },
});
