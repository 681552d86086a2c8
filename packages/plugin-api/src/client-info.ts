// What plugins are given about a client and a session.
import type { ProtocolVersion, QoS, UserProperties } from "@wrenmq/codec";

/** The verified certificate of a TLS client. */
export interface PeerCertificate {
  readonly subject: string;
  readonly commonName?: string | undefined;
  /** As Node prints them: "URI:spiffe://…", "DNS:…". */
  readonly subjectAltNames: readonly string[];
  readonly fingerprint256: string;
  readonly serialNumber: string;
}

export interface ClientInfo {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly protocolVersion: ProtocolVersion;
  /** Is the client a bridge of another broker, by the bridge bit of the protocol level? */
  readonly bridge: boolean;
  readonly cleanStart: boolean;
  /** Seconds; 0: keep alive is off. [MQTT5 3.1.2.10] */
  readonly keepAlive: number;
  /** Name of the listener that accepted the connection. */
  readonly listener: string;
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  /** Is the connection encrypted with TLS? */
  readonly secure: boolean;
  readonly certificate: PeerCertificate | undefined;
  /** User properties of CONNECT. */
  readonly userProperties: UserProperties;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  /** Data of plugins; it lives as long as the connection. */
  readonly attributes: Record<string, unknown>;
}

export interface SessionInfo {
  readonly clientId: string;
  readonly connected: boolean;
  readonly username: string | undefined;
  /** Seconds; Infinity: it never expires. [MQTT5 3.1.2.11.2] */
  readonly expiryInterval: number;
  readonly subscriptions: ReadonlyMap<string, { readonly qos: QoS }>;
  readonly queued: number;
  readonly inflight: number;
}
