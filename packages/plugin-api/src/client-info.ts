// What a plugin may know about a client and a session.
import type { ProtocolVersion, QoS, UserProperties } from "@wrenmq/codec";

/** The certificate that a TLS client presented and that was verified. */
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
  /** Is it another broker, by the bit in the protocol level that bridges set? */
  readonly bridge: boolean;
  readonly cleanStart: boolean;
  /** Seconds. */
  readonly keepAlive: number;
  /** Name of the listener that accepted the connection. */
  readonly listener: string;
  readonly remoteAddress: string;
  readonly remotePort: number | undefined;
  /** Does TLS protect the connection? */
  readonly secure: boolean;
  readonly certificate: PeerCertificate | undefined;
  /** User properties of CONNECT. */
  readonly userProperties: UserProperties;
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  /** Owned by plugins; lives as long as the connection. */
  readonly attributes: Record<string, unknown>;
}

export interface SessionInfo {
  readonly clientId: string;
  readonly connected: boolean;
  readonly username: string | undefined;
  /** Seconds; Infinity never expires. */
  readonly expiryInterval: number;
  readonly subscriptions: ReadonlyMap<string, { readonly qos: QoS }>;
  readonly queued: number;
  readonly inflight: number;
}
