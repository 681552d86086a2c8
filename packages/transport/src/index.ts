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
export type { Credential, CredentialKind } from "./credentials.ts";
export { ListenerError, type ListenerErrorCode } from "./errors.ts";
export {
  type Adopt,
  type AdopterOptions,
  type Adoption,
  closeHandle,
  releaseSocket,
  socketAdopter,
} from "./hand-over.ts";
export { clientHasLeft, printableClient } from "./handshake-error.ts";
export { createListener, type Listener, type ListenerOptions } from "./listener.ts";
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
export { isSameSocket, withPort } from "./same-socket.ts";
export type { ReadBuffer } from "./shared-read.ts";
export { type SimulatedHandle, simulatedHandles } from "./simulated-handle.ts";
export { fromDuplex } from "./stream-connection.ts";
export type { CertificateNotice } from "./tls-certificates.ts";
export { checkTls, type TlsCheck } from "./tls-material.ts";
