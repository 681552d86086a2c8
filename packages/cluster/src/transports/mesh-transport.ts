// How the brokers of a mesh connect to each other: the one with the higher number dials.
import type { Accept, ExternalConnection, ReadBuffer } from "@wrenmq/transport";

export interface MeshTransport {
  /** @param readBuffer bytes of peers may be read into it, one read at a time */
  listen(accept: Accept, readBuffer: ReadBuffer): Promise<void>;
  /** Rejects when the peer does not listen (yet). */
  dial(peer: number, readBuffer: ReadBuffer): Promise<ExternalConnection>;
  close(): Promise<void>;
}
