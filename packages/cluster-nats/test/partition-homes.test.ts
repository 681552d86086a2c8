// Which clients a member serves, by the view and by what it is giving away.
import { describe, expect, test } from "vitest";
import { PartitionHomes } from "../src/membership/partition-homes.ts";
import { emptyView, partitionOf, type View } from "../src/membership/view.ts";

const SELF = 1;
const OTHER = 2;

function viewOf(...owners: (number | null)[]): View {
  return { ...emptyView(1, owners.length), owners };
}

/** A client identifier of this partition, among four. */
function clientOf(partition: number): string {
  const view = emptyView(1, 4);
  const found = Array.from({ length: 100 }, (_, number) => `c${number}`).find(
    (id) => partitionOf(id, view) === partition,
  );
  if (found === undefined) throw new Error(`no identifier found for partition ${partition}`);
  return found;
}

const [first, second, third, fourth] = [clientOf(0), clientOf(1), clientOf(2), clientOf(3)];

describe("the homes of clients", () => {
  test("are here for own partitions, elsewhere for others, and nowhere where nobody serves them", () => {
    const homes = new PartitionHomes(SELF, viewOf(SELF, OTHER, null, SELF));
    expect([first, second, third, fourth].map((id) => homes.isHome(id))).toEqual([true, false, false, true]);
    expect([first, second, third, fourth].map((id) => homes.elsewhere(id))).toEqual([
      undefined,
      OTHER,
      undefined,
      undefined,
    ]);
  });

  test("move with the view", () => {
    const homes = new PartitionHomes(SELF, viewOf(null, null, null, null));
    expect(homes.isHomeless()).toBe(true);
    homes.viewed(viewOf(SELF, OTHER, OTHER, OTHER));
    expect(homes.isHomeless()).toBe(false);
    expect(homes.isHome(first)).toBe(true);
    homes.viewed(viewOf(OTHER, OTHER, OTHER, OTHER));
    expect(homes.isHomeless()).toBe(true);
    expect(homes.elsewhere(first)).toBe(OTHER);
  });

  test("of a client without an identifier: the first member that serves any", () => {
    expect(new PartitionHomes(SELF, viewOf(null, OTHER, SELF, SELF)).elsewhere("")).toBe(OTHER);
    expect(new PartitionHomes(SELF, viewOf(null, SELF, OTHER, OTHER)).elsewhere("")).toBeUndefined();
    expect(new PartitionHomes(SELF, viewOf(null, null, null, null)).elsewhere("")).toBeUndefined();
  });
});

describe("partitions that are given away", () => {
  test("have no session, are no more than wanted, and are not served until they are kept", () => {
    const homes = new PartitionHomes(SELF, viewOf(SELF, SELF, SELF, OTHER));
    expect(homes.release([0, 1, 2], 1, [first, fourth])).toEqual([1]);
    expect([first, second, third].map((id) => homes.isHome(id))).toEqual([true, false, true]);
    // The view still names this member: there is nobody to pass the client to.
    expect(homes.elsewhere(second)).toBeUndefined();
    homes.kept([1]);
    expect(homes.isHome(second)).toBe(true);
  });

  test("are none where each has a session", () => {
    const homes = new PartitionHomes(SELF, viewOf(SELF, SELF, OTHER, OTHER));
    expect(homes.release([0, 1], 2, [first, second])).toEqual([]);
    expect(homes.isHomeless()).toBe(false);
  });

  test("leave a member homeless when they are all it has", () => {
    const homes = new PartitionHomes(SELF, viewOf(SELF, OTHER, OTHER, OTHER));
    expect(homes.release([0], 1, [])).toEqual([0]);
    expect(homes.isHomeless()).toBe(true);
    homes.kept([0]);
    expect(homes.isHomeless()).toBe(false);
  });

  test("stay given away through a view that does not mention them", () => {
    const homes = new PartitionHomes(SELF, viewOf(SELF, SELF, OTHER, OTHER));
    homes.release([0], 1, []);
    homes.viewed(viewOf(SELF, SELF, OTHER, OTHER));
    expect(homes.isHome(first)).toBe(false);
  });
});
