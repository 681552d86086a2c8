// The shards of this member: it opens those that the view gives to it, abandons those that others have got, and gives
// away, one at a time, what an operator or the balance wants elsewhere. A shard that it gives away is closed before the
// view says so; then the other member opens it.
//
//   the view gives it ─► opening ─► open ─► closing ─► closed ─► the view gives it away
//                           │         │                  │ nobody wants it any more
//                           └► failed ◄ its store was fenced
//                                │ after a pause          │
//                                └──► the view begins a new run ◄┘
import type { Clock } from "@wrenmq/cluster";
import { begunAgain, given, nextOwner, type View } from "../membership/view.ts";
import type { RunningShard, ShardEnd, ShardHost } from "./shard-host.ts";

/** Milliseconds after a failure. */
const PAUSE = 1_000;

interface Slot {
  readonly shard: number;
  readonly epoch: number;
  readonly stopping: AbortController;
  state: "opening" | "open" | "closing" | "closed" | "failed";
  running: RunningShard | undefined;
  /** Resolves when the attempt to open it is over. */
  opening: Promise<void>;
  /** Set when it has failed. */
  againAt: number;
}

export interface KeeperParts {
  /** Number of this member. */
  readonly self: number;
  readonly host: ShardHost;
  readonly clock: Clock;
  /** There may be a wish: see `wish`. */
  wishes(): void;
  /** One line for the log. */
  said(line: string): void;
}

export class ShardKeeper {
  readonly #parts: KeeperParts;
  readonly #slots = new Map<number, Slot>();
  /** Runs whose end is not complete. The next run of the same shard waits for it. */
  readonly #ending = new Map<number, Promise<void>>();
  #isOver = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Shards that serve clients here. */
  get open(): readonly number[] {
    return [...this.#slots.values()].filter(({ state }) => state === "open").map(({ shard }) => shard);
  }

  viewed(view: View): void {
    if (this.#isOver) return;
    const { self } = this.#parts;
    for (const [shard, slot] of this.#slots) {
      if (view.owners[shard] !== self || view.epochs?.[shard] !== slot.epoch) this.#abandon(slot);
    }
    for (const [shard, owner] of view.owners.entries()) {
      if (owner === self && !this.#slots.has(shard)) this.#open(shard, view.epochs?.[shard] ?? 0);
    }
    // What is to be given away now is closed first.
    this.#parts.wishes();
  }

  /** What the view should become: for the membership. */
  wish(view: View): View | undefined {
    if (this.#isOver) return undefined;
    const { self, clock } = this.#parts;
    for (const { shard, epoch, state, againAt } of this.#slots.values()) {
      if (view.owners[shard] !== self || view.epochs?.[shard] !== epoch) continue;
      const isIdle = state === "closed" || state === "failed";
      if (!isIdle) continue;
      const to = nextOwner(view, self, shard);
      if (to !== undefined) return given(view, shard, to);
      if (state === "closed" || clock.now() >= againAt) return begunAgain(view, shard);
    }
    this.#closeNext(view);
    return undefined;
  }

  /** Closes all shards in order. The view is not asked any more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#endAll((slot) => this.#close(slot, "stops"));
  }

  /** Other members have all shards of this one. */
  async abandonAll(): Promise<void> {
    this.#isOver = true;
    await this.#endAll((slot) => this.#abandon(slot));
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #endAll(end: (slot: Slot) => void): Promise<void> {
    for (const slot of [...this.#slots.values()]) end(slot);
    await Promise.all(this.#ending.values());
  }

  #open(shard: number, epoch: number): void {
    const stopping = new AbortController();
    const opening = Promise.resolve();
    const slot: Slot = { shard, epoch, stopping, state: "opening", running: undefined, opening, againAt: 0 };
    this.#slots.set(shard, slot);
    slot.opening = this.#run(slot);
  }

  async #run(slot: Slot): Promise<void> {
    const { host, said } = this.#parts;
    const { shard, epoch, stopping } = slot;
    await this.#ending.get(shard);
    if (stopping.signal.aborted) return;
    try {
      const running = await host.open(shard, epoch, () => this.#lost(slot), stopping.signal);
      if (slot.state !== "opening") {
        // It was not wanted any more while it was opened.
        await running.abandon();
        return;
      }
      slot.running = running;
      slot.state = "open";
      this.#parts.wishes();
    } catch (error) {
      if (slot.state !== "opening" || stopping.signal.aborted) return;
      said(`shard ${shard} cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
      this.#failed(slot);
    }
  }

  /** Its store belongs to another run. If the view does not say so soon, that run was a mistake. */
  #lost(slot: Slot): void {
    if (slot.state === "failed" || this.#slots.get(slot.shard) !== slot) return;
    this.#drop(slot);
    this.#failed(slot);
  }

  #failed(slot: Slot): void {
    const { clock, wishes } = this.#parts;
    slot.state = "failed";
    slot.againAt = clock.now() + PAUSE;
    clock.at(slot.againAt, () => {
      if (this.#slots.get(slot.shard) === slot) wishes();
    });
  }

  #abandon(slot: Slot): void {
    this.#slots.delete(slot.shard);
    this.#drop(slot);
    slot.state = "failed";
  }

  #drop(slot: Slot): void {
    const { shard, running, state, opening } = slot;
    slot.stopping.abort();
    slot.running = undefined;
    if (state === "opening") this.#ended(shard, opening);
    if (running !== undefined && state !== "closed") this.#ended(shard, running.abandon());
  }

  #close(slot: Slot, reason: ShardEnd): void {
    const { shard, running, state } = slot;
    if (running === undefined) {
      this.#abandon(slot);
      return;
    }
    if (state !== "open") return;
    slot.state = "closing";
    const closed = running.close(reason).then(() => {
      if (slot.state !== "closing") return;
      slot.state = "closed";
      this.#parts.wishes();
    });
    this.#ended(shard, closed);
  }

  /** One shard at a time. */
  #closeNext(view: View): void {
    const { self, said } = this.#parts;
    const slots = [...this.#slots.values()];
    if (slots.some(({ state }) => state === "closing" || state === "opening" || state === "closed")) return;
    for (const slot of slots) {
      if (slot.state !== "open" || view.owners[slot.shard] !== self) continue;
      const to = nextOwner(view, self, slot.shard);
      if (to === undefined) continue;
      const name = view.members.find(({ id }) => id === to)?.name ?? to;
      said(`shard ${slot.shard} moves to member "${name}"`);
      this.#close(slot, "moves");
      return;
    }
  }

  #ended(shard: number, end: Promise<void>): void {
    const before = this.#ending.get(shard);
    const all = Promise.all([before, end]).then(() => {
      if (this.#ending.get(shard) === all) this.#ending.delete(shard);
    });
    this.#ending.set(shard, all);
  }
}
