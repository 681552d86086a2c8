// A check is one test that can run for both versions; for each it has the ids of the statements that it proves.
import type { FixtureOptions } from "@wrenmq/testkit";
import { test } from "vitest";
import { foreignWorld, memoryWorld, socketWorld, type Version, type World } from "./world.ts";

export interface Check {
  readonly title: string;
  /**
   * Statements of MQTT 3.1.1, as "3.1.2-1 3.1.2-2"; "" proves none but runs; absent: it does not run for this version.
   */
  readonly v4?: string;
  /** Statements of MQTT 5.0. */
  readonly v5?: string;
  /** Options of the broker, if needed: such a check cannot run against other brokers. */
  readonly broker?: FixtureOptions | ((version: Version) => FixtureOptions);
  /** It uses internals or the simulated clock of our broker. */
  readonly ownOnly?: true;
  /** It has many round trips, and is not repeated over sockets. */
  readonly long?: true;
  readonly run: (world: World) => Promise<void>;
}

const target = process.env["WRENMQ_TARGET"];

/** "[MQTT-3.1.2-1] [MQTT-3.1.2-2] title" */
export function titleOf(check: Check, version: Version): string {
  const ids = (version === 4 ? check.v4 : check.v5) ?? "";
  const names = ids.split(/\s+/).filter((id) => id !== "");
  return [...names.map((id) => `[MQTT-${id}]`), check.title].join(" ");
}

/** Makes the tests of one version. */
export function runChecks(version: Version, checks: readonly Check[]): void {
  for (const check of checks) {
    if ((version === 4 ? check.v4 : check.v5) === undefined) continue;
    const title = titleOf(check, version);
    if (target !== undefined && (check.broker !== undefined || check.ownOnly === true)) {
      test.skip(`${title} (skipped: needs a broker that is set up for it)`);
      continue;
    }
    test(title, async () => {
      const options = typeof check.broker === "function" ? check.broker(version) : check.broker;
      const world = target === undefined ? await memoryWorld(version, options) : foreignWorld(version, target);
      await inside(world, check);
    });
  }
}

/** The same checks over real sockets: those that need nothing of the broker but its address. */
export function runOverSockets(version: Version, way: "tcp" | "ws", checks: readonly Check[]): void {
  for (const check of checks) {
    if ((version === 4 ? check.v4 : check.v5) === undefined) continue;
    if (check.broker !== undefined || check.ownOnly === true || check.long === true) continue;
    // Another broker is tested over sockets anyway; a file without any test would count as failed.
    test.skipIf(target !== undefined)(`${titleOf(check, version)} (${way})`, async () => {
      await inside(await socketWorld(version, way), check);
    });
  }
}

/** Runs a check, and ends its world. */
export async function inside(world: World, check: Check): Promise<void> {
  try {
    await check.run(world);
  } finally {
    await world.stop();
  }
}
