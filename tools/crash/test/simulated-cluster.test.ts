// A few seeds; `pnpm crash --simulate 5000` runs many.
import { expect, test } from "vitest";
import { simulate } from "../src/simulation/simulate.ts";

const SEEDS = [1, 2, 3, 4];

test.each([
  { what: "nothing of what was written is lost", powerFails: false },
  { what: "the power fails", powerFails: true },
])(
  "brokers that act as one lose nothing and deliver nothing twice when they are killed; $what",
  { timeout: 120_000 },
  async ({ powerFails }) => {
    for (const seed of SEEDS) {
      const { problems, acknowledged, kills } = await simulate({ seed, kills: 6, powerFails });
      expect(problems, `seed ${seed}`).toEqual([]);
      expect([kills >= 6, acknowledged > 0]).toEqual([true, true]);
    }
  },
);
