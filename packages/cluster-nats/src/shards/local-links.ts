// Links between shards of one process: in memory.
import type { Accept, ExternalConnection } from "@wrenmq/transport";
import { memoryPair } from "@wrenmq/transport/memory";

export class LocalLinks {
  readonly #listening = new Map<number, Accept>();

  /** @returns ends it */
  listen(shard: number, accept: Accept): () => void {
    this.#listening.set(shard, accept);
    return () => {
      if (this.#listening.get(shard) === accept) this.#listening.delete(shard);
    };
  }

  /** @returns undefined: it does not listen here */
  dial(shard: number): ExternalConnection | undefined {
    const accept = this.#listening.get(shard);
    if (accept === undefined) return undefined;
    const [near, far] = memoryPair({});
    const handler = accept(far);
    if (handler === undefined) far.destroy();
    else far.attach(handler);
    return near;
  }
}
