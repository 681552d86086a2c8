// What the keeper of shards needs of the process that runs them.

/** A run of a shard: its store is open, its core serves clients. */
export interface RunningShard {
  /** Ends in order: clients are told, all is settled and stored, and the store is closed. Never rejects. */
  close(reason: ShardEnd): Promise<void>;
  /** Another member has it, or may have it: nothing is sent or stored any more. Never rejects. */
  abandon(): Promise<void>;
}

/** Why a shard is closed in order: another member gets it, or this process stops. */
export type ShardEnd = "moves" | "stops";

export interface ShardHost {
  /**
   * Opens the store of a shard, which ends every earlier run of it, and starts its core.
   * @param epoch number of the run
   * @param lost the store says that another run has begun: this one is to be abandoned
   * @param signal this run is not wanted any more; it may reject then
   */
  open(shard: number, epoch: number, lost: () => void, signal: AbortSignal): Promise<RunningShard>;
}
