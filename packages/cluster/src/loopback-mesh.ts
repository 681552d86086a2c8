// A mesh in one process, for tests and for brokers that run side by side in it.
import type { Accept, ExternalConnection } from "@wrenmq/transport";
import { memoryPair } from "@wrenmq/transport/memory";
import type { MeshTransport } from "./mesh-transport.ts";

export interface LoopbackOptions {
  /** When bytes arrive; default: in a microtask. */
  readonly schedule?: (task: () => void) => void;
}

export class LoopbackMesh {
  readonly #options: LoopbackOptions;
  readonly #listening = new Map<number, Accept>();

  constructor(options: LoopbackOptions = {}) {
    this.#options = options;
  }

  /** The transport of one member. */
  member(self: number): MeshTransport {
    return {
      listen: async (accept) => {
        this.#listening.set(self, accept);
      },
      dial: async (peer) => this.#connect(peer),
      close: async () => {
        this.#listening.delete(self);
      },
    };
  }

  #connect(peer: number): ExternalConnection {
    const accept = this.#listening.get(peer);
    if (accept === undefined) throw new Error(`member ${peer} is not there`);
    const { schedule } = this.#options;
    const [client, server] = memoryPair(schedule === undefined ? {} : { schedule });
    const handler = accept(server);
    if (handler === undefined) server.destroy();
    else server.attach(handler);
    return client;
  }
}
