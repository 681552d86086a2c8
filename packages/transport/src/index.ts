export { printableClient } from "./client-name.ts";
export type {
  Accept,
  Connection,
  ConnectionHandler,
  ConnectionInfo,
  ExternalConnection,
  PeerCertificate,
  TlsInfo,
  TransportName,
} from "./connection.ts";
export { nextConnectionId } from "./connection.ts";
export {
  type Adopt,
  type AdopterOptions,
  type Adoption,
  closeHandle,
  releaseSocket,
  socketAdopter,
} from "./connections/hand-over.ts";
export type { ReadBuffer } from "./connections/shared-read.ts";
export { type SimulatedHandle, simulatedHandles } from "./connections/simulated-handle.ts";
export { ListenerError, type ListenerErrorCode } from "./errors.ts";
export { fromDuplex, type StreamFacts } from "./from-duplex.ts";
export { clientHasLeft } from "./handshake-error.ts";
export type {
  CommonListenerConfig,
  IpListenerConfig,
  ListenerConfig,
  PemSource,
  PlainListenerConfig,
  ProxyProtocolConfig,
  TcpListenerConfig,
  TlsCertificate,
  TlsConfig,
  TlsListenerConfig,
  TlsVersion,
  UnixListenerConfig,
  WebSocketConfig,
  WsListenerConfig,
  WssListenerConfig,
} from "./listener-config.ts";
export { createListener } from "./listeners/create-listener.ts";
export type { Listener, ListenerContext } from "./listeners/listener.ts";
export { isSameSocket, withPort } from "./listeners/same-socket.ts";
export type { Credential, CredentialKind } from "./tls/credentials.ts";
export type { CertificateNotice } from "./tls/tls-certificates.ts";
export { checkTls, type TlsCheck } from "./tls/tls-material.ts";
