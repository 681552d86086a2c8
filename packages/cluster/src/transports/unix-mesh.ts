// Links of a mesh as Unix sockets in one folder that only the brokers' user can access.
import { connect } from "node:net";
import { join } from "node:path";
import {
  type Accept,
  createListener,
  type ExternalConnection,
  type Listener,
  type ReadBuffer,
  socketAdopter,
} from "@wrenmq/transport";
import { ClusterError } from "../errors.ts";
import type { MeshTransport } from "./mesh-transport.ts";

export class UnixMesh implements MeshTransport {
  readonly #folder: string;
  readonly #self: number;
  #listener: Listener | undefined;

  /** @param folder of all brokers of the mesh; the caller sets its permissions */
  constructor(folder: string, self: number) {
    this.#folder = folder;
    this.#self = self;
  }

  async listen(accept: Accept, readBuffer: ReadBuffer): Promise<void> {
    const options = { type: "unix", path: this.#path(this.#self), mode: 0o600 } as const;
    this.#listener = createListener(options, accept, { readBuffer });
    try {
      await this.#listener.listen();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ClusterError("ERR_CLUSTER_LISTEN", `the other workers cannot be listened to: ${reason}`, { cause });
    }
  }

  dial(peer: number, readBuffer: ReadBuffer): Promise<ExternalConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path: this.#path(peer), allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(socketAdopter({ transport: "unix", readBuffer })(socket));
      });
    });
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    this.#listener = undefined;
  }

  #path(id: number): string {
    return join(this.#folder, `${id}.sock`);
  }
}
