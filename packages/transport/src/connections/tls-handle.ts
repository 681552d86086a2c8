// The Node internals that raw TLS connections (raw-tls.ts) use: OpenSSL's layer above a handle of libuv, as
// `tls.TLSSocket` uses it. As in raw-handle.ts, all of it is named and checked here before the first use; where a piece is
// missing, stream-connection.ts does the same above a `TLSSocket`.
import type { SecureContext } from "node:tls";
import { type Handle, type Internals, nodeInternals } from "./raw-handle.ts";

/** The context that Node's own has inside. */
export interface NativeContext {
  setTicketKeys?(keys: Uint8Array): void;
  enableTicketKeyCallback?(): void;
  onticketkeycallback?: (name: Uint8Array, iv: Uint8Array, encrypts: boolean) => readonly unknown[];
  readonly constructor: {
    readonly kTicketKeyReturnIndex?: number;
    readonly kTicketKeyHMACIndex?: number;
    readonly kTicketKeyAESIndex?: number;
    readonly kTicketKeyNameIndex?: number;
    readonly kTicketKeyIVIndex?: number;
  };
}

/** A handle that encrypts and decrypts. It is alive as long as something refers to it: the handle below does. */
export interface TlsHandle extends Handle {
  /** The encrypted handle; Node's own methods find it here. */
  _parent: TlsParent;
  onhandshakestart: (this: this) => void;
  onhandshakedone: (this: this) => void;
  onerror: (this: this, error: Error) => void;
  /** Called when the server name is known; the handshake waits for `certCbDone`. */
  oncertcb: (this: this, hello: { readonly servername: string | undefined }) => void;
  enableCertCb(): void;
  certCbDone(): void;
  /** The context that takes the place of the first one. */
  sni_context?: NativeContext;
  setVerifyMode(requests: boolean, rejects: boolean): void;
  setALPNProtocols(names: Uint8Array): void;
  /** What OpenSSL says about the client's certificate; null: it is accepted. */
  verifyError(): (Error & { readonly code?: string }) | null | undefined;
  isSessionReused(): boolean;
  getServername(): string | false | null | undefined;
  getProtocol(): string | null;
  getPeerCertificate(detailed: boolean): { readonly raw?: Uint8Array } | undefined;
  destroySSL(): void;
}

/** The handle of the encrypted bytes. */
export interface TlsParent extends Handle {
  tls?: TlsHandle | undefined;
}

const METHODS = [
  "useUserBuffer",
  "readStart",
  "readStop",
  "writeBuffer",
  "shutdown",
  "enableCertCb",
  "certCbDone",
  "setVerifyMode",
  "setALPNProtocols",
  "verifyError",
  "isSessionReused",
  "getServername",
  "getProtocol",
  "getPeerCertificate",
  "destroySSL",
] as const;

type Wrap = (handle: Handle, context: NativeContext, isServer: boolean, hasActiveWrite: boolean) => TlsHandle;

export interface TlsInternals {
  readonly node: Internals;
  readonly wrap: Wrap;
}

/** @returns undefined: this process cannot have raw TLS connections, or must not (`WRENMQ_RAW_TCP=0`) */
export function tlsInternals(): TlsInternals | undefined {
  const node = nodeInternals();
  if (node === undefined) return undefined;
  try {
    const binding = (process as unknown as { binding(name: string): Record<string, unknown> }).binding("tls_wrap");
    const { wrap, TLSWrap } = binding;
    if (typeof wrap !== "function" || typeof TLSWrap !== "function") return undefined;
    const prototype = TLSWrap.prototype as Record<string, unknown>;
    const isKnown = "onread" in prototype && METHODS.every((name) => typeof prototype[name] === "function");
    return isKnown ? { node, wrap: wrap as Wrap } : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined: this version of Node keeps it elsewhere */
export function nativeContext(context: SecureContext): NativeContext | undefined {
  const native: unknown = context.context;
  return typeof native === "object" && native !== null ? (native as NativeContext) : undefined;
}
