// A few events; `pnpm crash --cluster --kills 200` makes many, over three NATS servers, and cuts members off.
import { expect, inject, test } from "vitest";
import { isNatsHere } from "../../../packages/cluster-nats/test/support/nats-server.ts";
import { runCluster } from "../src/cluster/run-cluster.ts";

test.skipIf(!isNatsHere).each([
  { kills: 6, seed: 11, only: /NATS|moment/, what: "NATS" },
  { kills: 3, seed: 12, only: /a member/, what: "members" },
])(
  "nothing that sessions hold is lost, nothing comes twice at QoS 2, when $what are killed and stopped $kills times",
  { timeout: 180_000 },
  async ({ kills, seed, only }) => {
    const program = inject("wrenmq");
    const given = { program, kills, seed, only, qos: "both", servers: 1, partitions: false } as const;
    const { problems, acknowledged, events } = await runCluster(given);
    expect(problems).toEqual([]);
    expect(acknowledged).toBeGreaterThan(0);
    expect([...events.values()].reduce((sum, times) => sum + times, 0)).toBe(kills);
  },
);
