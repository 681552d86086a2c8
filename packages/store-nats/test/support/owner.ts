// An owner of the stream: a replicated store that writes the history, and what it was told about it.
import { rmSync } from "node:fs";
import { StoreError } from "@wrenmq/store";
import { ReplicatedStore, type ReplicatedStoreNotice } from "@wrenmq/store-nats";
import type { ReplicatedStoreOptions } from "../../src/options.ts";
import { newFolder } from "./folders.ts";
import { batchAt, progressOf } from "./history.ts";

export class Owner {
  readonly store: ReplicatedStore;
  readonly name: string;
  /** Batch that it has begun with, the last one that it has applied, and the last one that was acknowledged. */
  base = 0;
  applied = 0;
  acknowledged = 0;
  /** Batches that are neither acknowledged nor rejected. */
  pending = 0;
  deposed = 0;
  readonly notices: ReplicatedStoreNotice[] = [];
  /** What must not happen. */
  readonly faults: string[] = [];
  readonly directory: string = newFolder();

  constructor(
    name: string,
    connection: ReplicatedStoreOptions["connection"],
    options: Partial<ReplicatedStoreOptions> = {},
  ) {
    this.name = name;
    this.store = new ReplicatedStore({
      directory: this.directory,
      stream: "WREN_test_J0",
      connection,
      replicas: 1,
      owner: name,
      onDeposed: () => this.deposed++,
      onNotice: (notice) => this.notices.push(notice),
      ...options,
    });
  }

  async open(): Promise<void> {
    await this.store.open();
    this.base = progressOf(this.store);
    this.applied = this.base;
    this.acknowledged = this.base;
  }

  /** Writes the next batch. */
  apply(): void {
    const number = ++this.applied;
    this.pending++;
    const durable = this.store.apply(batchAt(number)) ?? Promise.resolve();
    durable.then(
      () => {
        this.pending--;
        if (this.deposed > 0) this.faults.push(`${this.name}: ${number} is acknowledged after the end`);
        if (this.acknowledged !== number - 1) this.faults.push(`${this.name}: ${number} after ${this.acknowledged}`);
        this.acknowledged = number;
      },
      (error: unknown) => {
        this.pending--;
        const isKnown = error instanceof StoreError && ["ERR_STORE_DEPOSED", "ERR_STORE_CLOSED"].includes(error.code);
        if (!isKnown) this.faults.push(`${this.name}: ${String(error)}`);
      },
    );
  }

  async dispose(): Promise<void> {
    await this.store.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
