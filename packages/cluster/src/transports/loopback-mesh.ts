// A mesh in one process, for tests and for several brokers in one process.
import type { Accept, ExternalConnection } from "@wrenmq/transport";
import { memoryPair } from "@wrenmq/transport/memory";
import type { MeshTransport } from "./mesh-transport.ts";

export interface LoopbackOptions {
  /** Schedules deliveries. Default: microtasks. */
  readonly schedule?: (task: () => void) => void;
}

export class LoopbackMesh {
  readonly #options: LoopbackOptions;
  readonly #listening = new Map<number, Accept>();
  /** Transports of members whose process has ended: a new process of that member gets another one. */
  readonly #ended = new WeakSet<MeshTransport>();
  readonly #transports: { readonly member: number; readonly transport: MeshTransport }[] = [];
  /** Both ends of each link, by the members that they connect. */
  readonly #links: { readonly members: readonly number[]; cut(): void }[] = [];

  constructor(options: LoopbackOptions = {}) {
    this.#options = options;
  }

  /** The transport of one member. */
  member(self: number): MeshTransport {
    const transport: MeshTransport = {
      listen: async (accept) => {
        this.#listening.set(self, accept);
      },
      dial: async (peer) => {
        if (this.#ended.has(transport)) throw new Error("the process has ended");
        return this.#connect(self, peer);
      },
      close: async () => {
        this.#listening.delete(self);
      },
    };
    this.#transports.push({ member: self, transport });
    return transport;
  }

  /** Ends the process of a member without closing its links. */
  cut(self: number): void {
    this.#listening.delete(self);
    for (const { member, transport } of this.#transports) if (member === self) this.#ended.add(transport);
    for (const link of this.#links.filter(({ members }) => members.includes(self))) link.cut();
  }

  #connect(self: number, peer: number): ExternalConnection {
    const accept = this.#listening.get(peer);
    if (accept === undefined) throw new Error(`member ${peer} is not there`);
    const { schedule } = this.#options;
    const [client, server] = memoryPair(schedule === undefined ? {} : { schedule });
    const link = { members: [self, peer], cut: () => client.destroy() };
    this.#links.push(link);
    const handler = accept(server);
    if (handler === undefined) server.destroy();
    else server.attach(handler);
    return client;
  }
}
