// How the brokers of a mesh reach each other: who has the higher number dials.
import type { Accept, ExternalConnection, ReadBuffer } from "@wrenmq/transport";

export interface MeshTransport {
  /** @param readBuffer where what peers send may be read to, one read at a time */
  listen(accept: Accept, readBuffer: ReadBuffer): Promise<void>;
  /** Rejects when the peer is not there (yet). */
  dial(peer: number, readBuffer: ReadBuffer): Promise<ExternalConnection>;
  close(): Promise<void>;
}
