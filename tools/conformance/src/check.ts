// A check is one test that can run in both versions; each version gives it the statements that it proves there.
import type { FixtureOptions } from "@wrenmq/testkit";
import { test } from "vitest";
import { foreignWorld, memoryWorld, socketWorld, type Version, type World } from "./world.ts";

export interface Check {
  readonly title: string;
  /** Statements of MQTT 3.1.1, as "3.1.2-1 3.1.2-2"; "" proves none but runs; absent: not for this version. */
  readonly v4?: string;
  /** Statements of MQTT 5.0. */
  readonly v5?: string;
  /** Given when the broker has to be set up for it: such a check is not for brokers of others. */
  readonly broker?: FixtureOptions | ((version: Version) => FixtureOptions);
  /** It looks at the broker from inside, or needs its clock. */
  readonly ownOnly?: true;
  /** Many round trips: once is enough, our sockets are not asked again. */
  readonly long?: true;
  readonly run: (world: World) => Promise<void>;
}

const target = process.env["WRENMQ_TARGET"];

/** "[MQTT-3.1.2-1] [MQTT-3.1.2-2] what it says" */
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
    // Another broker is met over sockets anyway; a file without any test would count as failed.
    test.skipIf(target !== undefined)(`${titleOf(check, version)} (${way})`, async () => {
      await inside(await socketWorld(version, way), check);
    });
  }
}

async function inside(world: World, check: Check): Promise<void> {
  try {
    await check.run(world);
  } finally {
    await world.stop();
  }
}
