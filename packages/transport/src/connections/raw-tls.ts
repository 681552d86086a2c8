// TLS connections directly on the handles of libuv and OpenSSL, without the two sockets and four streams that Node makes
// for each: those are a third of the time of a handshake and of the memory of an idle connection. The plain twin is
// StreamConnection above a `TLSSocket`; the tests of TLS run with both. tls-handle.ts has what is needed of Node's
// internals.
import { CLIENT_RENEG_LIMIT, CLIENT_RENEG_WINDOW } from "node:tls";
import type { Handle } from "./raw-handle.ts";
import { systemError } from "./raw-handle.ts";
import { type OwnedHandle, owner, RawConnection, readInto, type Site } from "./raw-tcp.ts";
import type { ReadBuffer } from "./shared-read.ts";
import type { ConnectionCount } from "./stream-connection.ts";
import { type NativeContext, type TlsHandle, type TlsParent, tlsInternals } from "./tls-handle.ts";

const NOTHING = new Uint8Array(0);

/** Its bytes are encrypted below the same handle interface; three things differ, and each has its reason here. */
export class RawTlsConnection extends RawConnection {
  /** Every write ends in a later turn. */
  override readonly isQuick = false;
  /** Written while an earlier write was not finished: OpenSSL's layer takes one at a time. */
  private waiting: Uint8Array[] | undefined;
  private halfCloseIsDue = false;
  private endIsDue = false;
  private handshakes = 1;
  private lastHandshake = 0;

  constructor(handle: TlsHandle, site: Site) {
    super(handle as unknown as OwnedHandle, site);
    // The handshake has begun it.
    this.reading = true;
  }

  override write(bytes: Uint8Array): boolean {
    if (this.requests === 0 || this.ending || bytes.length === 0) return super.write(bytes);
    this.waiting ??= [];
    this.waiting.push(new Uint8Array(bytes));
    return false;
  }

  override writeAll(pieces: readonly Uint8Array[]): boolean {
    return this.write(Buffer.concat(pieces));
  }

  override written(status: number): void {
    const { waiting, ending } = this;
    this.waiting = undefined;
    if (waiting !== undefined && status === 0 && !this.closing) {
      // It was taken before the end was.
      this.ending = false;
      super.write(Buffer.concat(waiting));
      this.ending = ending || this.closing;
    }
    super.written(status);
    if (!this.halfCloseIsDue || this.requests > 0 || this.closing) return;
    this.halfCloseIsDue = false;
    super.halfClose();
  }

  /** A write of this layer cannot say how many bytes the system has taken: there is no `tryWrite`, and no hand-over. */
  override detach(): object | undefined {
    return undefined;
  }

  /** A record may have more bytes than are wanted, and come decrypted after the handle has stopped to read. */
  override received(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    if (!this.paused || this.ending) {
      super.received(bytes, start, end);
      return;
    }
    const more = bytes.subarray(start, end);
    this.rest = this.rest === undefined ? new Uint8Array(more) : new Uint8Array(Buffer.concat([this.rest, more]));
  }

  override peerEnded(): void {
    if (!this.paused || this.ending) {
      super.peerEnded();
      return;
    }
    this.reading = false;
    this.endIsDue = true;
    this.rest ??= NOTHING;
  }

  /** Another handshake on the same connection, which TLS 1.2 knows: as few of them as Node allows. */
  anotherHandshake(): void {
    const now = performance.now();
    this.handshakes = now - this.lastHandshake > CLIENT_RENEG_WINDOW * 1000 ? 1 : this.handshakes + 1;
    this.lastHandshake = now;
    if (this.handshakes > CLIENT_RENEG_LIMIT) this.lost(new Error("the client repeats its TLS handshake"));
  }

  protected override resumeRest(): void {
    super.resumeRest();
    if (!this.endIsDue) return;
    if (this.paused) {
      // The next `resume` comes by here too.
      this.rest ??= NOTHING;
      return;
    }
    this.endIsDue = false;
    super.peerEnded();
  }

  /** The end of the encrypted bytes has to be said: without it a client cannot tell it from one that was cut off. */
  protected override get closesPlainly(): boolean {
    return false;
  }

  /** What is still being encrypted would not be sent. */
  protected override halfClose(): void {
    if (this.requests > 0) this.halfCloseIsDue = true;
    else super.halfClose();
  }

  protected override closeHandle(): void {
    closeTls(this.handle as unknown as TlsHandle);
  }
}

type OwnedTls = TlsHandle & { [owner]?: RawTlsConnection; handshake?: RawHandshake | undefined };

function closeTls(tls: TlsHandle): void {
  tls._parent.close(onParentClosed);
}

function onParentClosed(this: TlsParent): void {
  const tls = this.tls as OwnedTls | undefined;
  if (tls === undefined) return;
  this.tls = undefined;
  tls.destroySSL();
  tls[owner]?.gone();
}

export interface RawTlsOptions {
  readonly context: NativeContext;
  /** The context for a server name; undefined: there is only one. */
  readonly contextFor: ((name: string) => NativeContext | undefined) | undefined;
  readonly asksForCertificate: boolean;
  /** Names with their lengths before them; undefined: none. */
  readonly alpn: Uint8Array | undefined;
  /** Milliseconds for the handshake. */
  readonly timeout: number;
  readonly buffer: ReadBuffer;
  readonly lingerTimeout: number;
  readonly count: ConnectionCount;
  /** Has the handshakes that are not done; who closes the listener ends them. */
  readonly waiting: Set<RawHandshake>;
  /** The handshake is done. `accept()` makes the connection, which has to get its handler at once. */
  done(handshake: RawHandshake): void;
  failed(handshake: RawHandshake, error: Error): void;
}

/** One client whose handshake is not done. */
export class RawHandshake {
  readonly tls: TlsHandle;
  /** The address of the client. */
  readonly client: string;
  private readonly way: Way;
  private readonly timer: NodeJS.Timeout;

  constructor(tls: TlsHandle, client: string, way: Way) {
    this.tls = tls;
    this.client = client;
    this.way = way;
    this.timer = setTimeout(late, way.options.timeout, this);
    way.options.waiting.add(this);
  }

  /** Call it in `done`, if the client is let in. */
  accept(): RawTlsConnection {
    const { tls, way } = this;
    const connection = new RawTlsConnection(tls, way.site);
    tls.onread = way.onread;
    return connection;
  }

  destroy(): void {
    this.over();
    closeTls(this.tls);
  }

  isDone(): void {
    this.over();
    this.way.options.done(this);
  }

  failed(error: Error): void {
    if (!this.way.options.waiting.has(this)) return;
    this.destroy();
    this.way.options.failed(this, error);
  }

  private over(): void {
    clearTimeout(this.timer);
    this.way.options.waiting.delete(this);
    (this.tls as OwnedTls).handshake = undefined;
  }
}

/** What the handshakes and connections of one listener share. */
interface Way {
  readonly options: RawTlsOptions;
  readonly site: Site;
  readonly onread: () => void;
}

function late(handshake: RawHandshake): void {
  handshake.failed(new Error("not done in time"));
}

function onHandshakeStart(this: OwnedTls): void {
  this[owner]?.anotherHandshake();
}
function onHandshakeDone(this: OwnedTls): void {
  this.handshake?.isDone();
}
function onError(this: OwnedTls, error: Error): void {
  if (this.handshake === undefined) this[owner]?.lost(error);
  else this.handshake.failed(error);
}

/** Begins the handshake with a client that has been accepted. */
export type BeginTls = (handle: Handle, client: string) => void;

/** @returns undefined: not possible in this process */
export function rawTls(options: RawTlsOptions): BeginTls | undefined {
  const internals = tlsInternals();
  if (internals === undefined) return undefined;
  const { node, wrap } = internals;
  const { context, contextFor, asksForCertificate, alpn, buffer, lingerTimeout, count } = options;
  const window = buffer.bytes.subarray(buffer.start, buffer.start + buffer.length);
  const site: Site = { node, transport: "tls", lingerTimeout, count, spare: new node.WriteWrap() };
  const way: Way = { options, site, onread: readInto(buffer, node) };

  /** Before the handshake is done there are no bytes for anybody, only the end of the connection. */
  function onReadEarly(this: OwnedTls): void {
    const result = node.state[node.readResult] ?? 0;
    if (result >= 0) return;
    const error = result === node.eof ? Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }) : undefined;
    this.handshake?.failed(error ?? systemError(result, "read"));
  }
  function onServername(this: OwnedTls, { servername }: { readonly servername: string | undefined }): void {
    const chosen = servername === undefined ? undefined : contextFor?.(servername);
    if (chosen !== undefined) this.sni_context = chosen;
    try {
      this.certCbDone();
    } catch (error) {
      this.handshake?.failed(error as Error);
    }
  }
  return (handle, client) => {
    const parent = handle as TlsParent;
    const tls = wrap(handle, context, true, false) as OwnedTls;
    tls._parent = parent;
    parent.tls = tls;
    tls.onhandshakestart = onHandshakeStart;
    tls.onhandshakedone = onHandshakeDone;
    tls.onerror = onError;
    if (asksForCertificate) tls.setVerifyMode(true, false);
    if (contextFor !== undefined) {
      tls.oncertcb = onServername;
      tls.enableCertCb();
    }
    if (alpn !== undefined) tls.setALPNProtocols(alpn);
    tls.useUserBuffer(window);
    tls.onread = onReadEarly;
    const handshake = new RawHandshake(tls, client, way);
    tls.handshake = handshake;
    const status = tls.readStart();
    if (status < 0) handshake.failed(systemError(status, "read"));
  };
}
