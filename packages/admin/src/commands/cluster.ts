// The cluster that the broker is a member of, as this member sees it.
import type { Broker, ClusterReport } from "@wrenmq/broker";
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { defineClusterCommand } from "../define-command.ts";

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
});

function clusterOf(broker: Broker): ClusterReport {
  const { cluster } = broker.operations;
  if (cluster === undefined) throw new AdminError("unavailable", "this broker is no member of a cluster");
  return cluster;
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
