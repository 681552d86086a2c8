// Owners that take the stream from each other, over ways that lose, delay, repeat and cut: nothing that was acknowledged
// is lost, and who is deposed acknowledges nothing. WREN_SEEDS=3000 tries more.
import { contentsOf } from "@wrenmq/store/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FakeStream, type Faults, NO_FAULTS, Port } from "./support/fake-stream.ts";
import { contentsAfter } from "./support/history.ts";
import { Owner } from "./support/owner.ts";
import { random, SimTime } from "./support/sim-time.ts";

const SEEDS = Number(process.env["WREN_SEEDS"] ?? 100);

interface Opened {
  readonly owner: Owner;
  readonly port: Port;
}

class World {
  readonly time = new SimTime();
  readonly stream = new FakeStream();
  readonly all: Opened[] = [];
  /** Those that are open, the youngest last; those before may not know that they are deposed. */
  readonly open: Opened[] = [];
  #youngest: readonly Opened[] = [];
  readonly #next: () => number;
  readonly #faults: Faults;
  readonly #segmentBytes: number;

  constructor(seed: number, faults: Faults, segmentBytes: number) {
    this.#next = random(seed);
    this.#faults = faults;
    this.#segmentBytes = segmentBytes;
  }

  async step(): Promise<void> {
    const pick = this.#next();
    const some = this.open[Math.floor(this.#next() * this.open.length)];
    if (pick < 0.45) this.#write(this.open.at(-1));
    else if (pick < 0.55) this.#write(some);
    else if (pick < 0.62) some?.port.cut(this.#next() * 6_000);
    else if (pick < 0.7) await this.takeOver(1);
    else if (pick < 0.72) await this.takeOver(2);
    else await this.time.advance(this.#next() * (pick < 0.9 ? 5 : 3_000));
  }

  /** Others open the stream while the one that has it goes on. */
  async takeOver(count: number, faults = this.#faults): Promise<void> {
    const before = [...this.all];
    const coming = Array.from({ length: count }, () => this.#newcomer(faults));
    const opening = Promise.all(coming.map(({ owner }) => owner.open()));
    for (let writes = Math.floor(this.#next() * 5); writes > 0; writes--) {
      this.#write(this.open.at(-1));
      await this.time.advance(this.#next() * 3);
    }
    await this.time.until(opening);
    for (const { owner } of coming) {
      // What is there is a state that there was, with everything that was acknowledged by those before.
      expect(contentsOf(owner.store)).toEqual(contentsAfter(owner.base));
      for (const { owner: former } of before) expect(owner.base).toBeGreaterThanOrEqual(former.acknowledged);
      expect(owner.base).toBeLessThanOrEqual(Math.max(0, ...before.map(({ owner: former }) => former.applied)));
    }
    this.open.push(...coming);
    this.#youngest = coming;
  }

  /** Of those who came last, together, one has the stream. */
  get isOwned(): boolean {
    return this.#youngest.some(({ owner }) => owner.deposed === 0);
  }

  /** All ways are good again, and all have learned what has become of them. */
  async settle(): Promise<Owner> {
    for (const { port } of this.all) {
      port.faults = NO_FAULTS;
      port.isThere = true;
    }
    await this.time.advance(20_000);
    await this.takeOver(1, NO_FAULTS);
    const last = this.all.at(-1)?.owner as Owner;
    for (const { owner } of this.open) owner.apply();
    await this.time.advance(20_000);
    return last;
  }

  #write(one: Opened | undefined): void {
    for (let count = 1 + Math.floor(this.#next() * 6); count > 0; count--) one?.owner.apply();
  }

  #newcomer(faults: Faults): Opened {
    const port = new Port(this.stream, this.time, this.#next, faults, 400 + Math.floor(this.#next() * 3_000));
    const owner = new Owner(`owner ${this.all.length}`, port, { clock: this.time, segmentBytes: this.#segmentBytes });
    const opened = { owner, port };
    this.all.push(opened);
    return opened;
  }
}

const faults: fc.Arbitrary<Faults> = fc.record({
  lost: fc.constantFrom(0, 0.02, 0.2),
  repeated: fc.constantFrom(0, 0.1),
  stale: fc.constantFrom(0, 0.2),
  // Longer than an operation waits: what was given up is done later.
  delay: fc.constantFrom(1, 20, 1_500),
});

test("nothing acknowledged is lost, however the stream is lost and taken", {
  timeout: 60_000 + SEEDS * 3_000,
}, async () => {
  let deposed = 0;
  let purges = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer(), faults, fc.constantFrom(256, 3_000, 100_000), async (seed, given, segmentBytes) => {
      const world = new World(seed, given, segmentBytes);
      try {
        await world.takeOver(1);
        for (let steps = 0; steps < 30; steps++) {
          await world.step();
          expect(world.isOwned).toBe(true);
        }
        const last = await world.settle();
        for (const { owner } of world.all) {
          expect(owner.faults).toEqual([]);
          expect(owner.pending).toBe(0);
          expect(owner.acknowledged).toBeLessThanOrEqual(owner === last ? last.applied : last.base);
          expect(owner.deposed).toBe(owner === last ? 0 : 1);
        }
        expect(last.acknowledged).toBe(last.applied);
        expect(contentsOf(last.store)).toEqual(contentsAfter(last.applied));
        deposed += world.all.length - 1;
        purges += world.stream.purges;
      } finally {
        await world.time.until(Promise.all(world.all.map(({ owner }) => owner.dispose())));
      }
    }),
    { numRuns: SEEDS },
  );
  // The test sees what it is about.
  expect(deposed).toBeGreaterThan(SEEDS);
  expect(purges).toBeGreaterThan(SEEDS / 5);
});
