// What every listener is, and what it is given besides its configuration.
import type { ConnectionInfo } from "../connection.ts";
import type { ReadBuffer } from "../connections/shared-read.ts";
import type { ListenerConfig } from "../listener-config.ts";
import type { CertificateNotice } from "../tls/tls-certificates.ts";

export interface ListenerContext {
  /**
   * Where the bytes of all TCP and Unix connections of the process are read to, one read at a time: `data(bytes, start, …)`
   * names this very array. Not used on Windows, nor by TLS and WebSocket.
   */
  readBuffer?: ReadBuffer;
  /**
   * Asked once for each client, as soon as its address is known and before anything else is spent on it; false: it is
   * closed without an answer.
   */
  admits?: (client: Pick<ConnectionInfo, "remoteAddress">) => boolean;
  /** Trouble that is not a connection's own: failed handshakes, bad PROXY headers, certificates that cannot be reloaded. */
  onError?: (error: Error) => void;
  /** A certificate or revocation list has changed, or ends soon. */
  onCertificate?: (notice: CertificateNotice) => void;
}

export interface Listener {
  /** Printable: `mqtt://127.0.0.1:1883`. With port 0 the true port is known after `listen()`. */
  readonly address: string;
  readonly port: number | undefined;
  /** Open connections. */
  readonly connections: number;
  /** Rejects with a `ListenerError`. */
  listen(): Promise<void>;
  /**
   * Reads what another configuration of the same socket (`isSameSocket`) needs.
   * @returns what puts it in force: for connections that come from then on, those that are open stay as they are. Rejects
   * with a ListenerError; nothing has changed then
   */
  prepare(config: ListenerConfig): Promise<() => void>;
  /** Stops accepting; open connections stay, handshakes that are under way end. */
  close(): Promise<void>;
  /** TLS only: reads certificates, keys, CAs and CRLs again. Open connections stay; if it rejects, the old ones stay too. */
  reloadCertificates?(): Promise<void>;
}
