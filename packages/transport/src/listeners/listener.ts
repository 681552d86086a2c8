// The interface of all listeners, and what they get besides their configuration.
import type { ConnectionInfo } from "../connection.ts";
import type { ReadBuffer } from "../connections/shared-read.ts";
import type { ListenerConfig } from "../listener-config.ts";
import type { CertificateNotice } from "../tls/tls-certificates.ts";

export interface ListenerContext {
  /**
   * The buffer into which the bytes of all connections of the process are read, one read at a time, except those of
   * `wss`: `data(bytes, start, …)` passes this very array. Not used on Windows.
   */
  readBuffer?: ReadBuffer;
  /**
   * Called once for each client, as soon as its address is known and before anything else is done for it. False: the
   * connection is closed without an answer.
   */
  admits?: (client: Pick<ConnectionInfo, "remoteAddress">) => boolean;
  /**
   * The secret of TLS session tickets, at least 32 bytes, where the configuration names no file with one: clients can
   * resume their sessions in every process that has the same. Default: one of this process.
   */
  ticketSecret?: Uint8Array | undefined;
  /** Errors outside of open connections: failed handshakes, bad PROXY headers, certificates that cannot be reloaded. */
  onError?: (error: Error) => void;
  /** A certificate or revocation list has changed, or expires soon. */
  onCertificate?: (notice: CertificateNotice) => void;
}

export interface Listener {
  /** Printable: `mqtt://127.0.0.1:1883`. With port 0 it has the real port after `listen()`. */
  readonly address: string;
  readonly port: number | undefined;
  /** Number of open connections. */
  readonly connections: number;
  /** Rejects with a `ListenerError`. */
  listen(): Promise<void>;
  /**
   * Reads what another configuration of the same socket (`isSameSocket`) needs. Rejects with a ListenerError; nothing
   * has changed then.
   * @returns a function that applies it to later connections; open ones stay as they are
   */
  prepare(config: ListenerConfig): Promise<() => void>;
  /** Stops accepting. Open connections stay; unfinished handshakes are ended. */
  close(): Promise<void>;
  /**
   * TLS only: reads certificates, keys, CAs and CRLs again. Open connections stay. If it rejects, the old certificates
   * stay in use.
   */
  reloadCertificates?(): Promise<void>;
}
