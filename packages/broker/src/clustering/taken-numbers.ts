// Remembers up to which number this broker has taken the parcels of each origin. They come in the order of their
// numbers, so one number is enough; it becomes durable in the batch that makes the deliveries durable, and nothing is
// taken twice.
import type { Origin } from "@wrenmq/cluster";
import { type OriginRecord, originKey } from "@wrenmq/store";
import type { FactLog } from "../persistence/fact-log.ts";

interface Taken {
  readonly origin: Origin;
  number: number;
  /** The fact of this turn: parcels of one turn need one fact. */
  fact: { readonly store: string; readonly run: number; taken: number } | undefined;
  turn: number;
}

export class TakenNumbers {
  readonly #factLog: FactLog | undefined;
  readonly #origins = new Map<string, Taken>();

  constructor(factLog: FactLog | undefined) {
    this.#factLog = factLog;
  }

  restore(records: Iterable<OriginRecord>): void {
    for (const { store, run, taken } of records) this.#of({ store, run }).number = taken;
  }

  has(origin: Origin, number: number): boolean {
    return number <= (this.#origins.get(originKey(origin))?.number ?? 0);
  }

  /** @param isDurable has the parcel changed anything that outlives this process? */
  take(origin: Origin, number: number, isDurable: boolean): void {
    const taken = this.#of(origin);
    taken.number = number;
    const factLog = this.#factLog;
    if (!isDurable || factLog === undefined) return;
    if (taken.fact !== undefined && taken.turn === factLog.turn) taken.fact.taken = number;
    else {
      taken.fact = { store: origin.store, run: origin.run, taken: number };
      taken.turn = factLog.turn;
      factLog.record({ op: "putOrigin", origin: taken.fact }, undefined);
    }
  }

  /** Parcels may still come from these origins; records of other origins of the same stores are removed. */
  keepOnly(origins: readonly Origin[]): void {
    const stores = new Set(origins.map(({ store }) => store));
    const keys = new Set(origins.map(originKey));
    for (const [key, { origin }] of this.#origins) {
      if (!stores.has(origin.store) || keys.has(key)) continue;
      this.#origins.delete(key);
      this.#factLog?.record({ op: "deleteOrigin", ...origin }, undefined);
    }
  }

  #of(origin: Origin): Taken {
    const key = originKey(origin);
    let taken = this.#origins.get(key);
    if (taken === undefined) {
      taken = { origin: { store: origin.store, run: origin.run }, number: 0, fact: undefined, turn: 0 };
      this.#origins.set(key, taken);
    }
    return taken;
  }
}
