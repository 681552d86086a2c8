// One end of a link between two members: a stream of bytes in both directions over a bus that may lose messages, repeat
// them, and be away for a while. Messages are numbered; the receiver takes them in order and says how far it has come;
// the sender keeps them until then. A link ends when one of its ends says so, or when its owner does: never because the
// bus is away.
import type { Clock } from "@wrenmq/cluster";
import { copyBytes } from "@wrenmq/protocol";
import {
  type ConnectionHandler,
  type ConnectionInfo,
  type ExternalConnection,
  nextConnectionId,
} from "@wrenmq/transport";
import { LINK_HEAD, LinkKind, type LinkMessage, linkMessage } from "./link-message.ts";
import { SendWindow } from "./send-window.ts";

/** Bytes without confirmation from which on the writer has to wait, and down to which. */
const WINDOW = 4 * 1024 * 1024;
const LOW_WATER = WINDOW / 2;
/** Bytes and messages after which a confirmation is sent at once, and milliseconds after which it is sent anyway. */
const CONFIRM_BYTES = WINDOW / 8;
const CONFIRM_MESSAGES = 64;
const CONFIRM_DELAY = 20;
/** Milliseconds without progress after which the first message is sent again: at first and at most. */
const FIRST_PATIENCE = 500;
const LAST_PATIENCE = 2_000;
/** Milliseconds between two requests for the same message. */
const ASK_AGAIN = 200;

export interface LinkPlace {
  readonly clock: Clock;
  /** This member, the link's number, and which end this is. */
  readonly head: Pick<LinkMessage, "byDialler" | "from" | "run" | "link">;
  readonly remoteAddress: string;
  /** Bytes of the longest message, without its head. */
  readonly longest: number;
  /** Is there a bus at present? What is sent without one is not kept by it. */
  isBusThere(): boolean;
  send(message: Uint8Array): void;
  /** The link is over: no message for it is expected any more. */
  over(link: LinkEnd): void;
}

export class LinkEnd implements ExternalConnection {
  readonly id: number = nextConnectionId();
  readonly info: ConnectionInfo;
  readonly #place: LinkPlace;
  readonly #window = new SendWindow();
  #handler: ConnectionHandler | undefined;
  /** Number of the next message that is taken. */
  #expected = 1;
  /** Taken and not confirmed. */
  #takenBytes = 0;
  #takenMessages = 0;
  /** Bytes that the handler does not take yet. */
  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  /** The other end has nothing more. */
  #endsWhenRead = false;
  #paused = false;
  #blocked = false;
  #ending = false;
  #over = false;
  #error: Error | undefined;
  #patience = FIRST_PATIENCE;
  /** The first message was sent again: if it was missing, what follows may be, too. */
  #probing = false;
  #askedFor = 0;
  #askedAt = 0;
  #cancelResend: (() => void) | undefined;
  #cancelConfirm: (() => void) | undefined;

  constructor(place: LinkPlace) {
    this.#place = place;
    this.info = { transport: "external", remoteAddress: place.remoteAddress, remotePort: undefined };
  }

  get number(): number {
    return this.#place.head.link;
  }

  /** Bytes that are kept until the other end has confirmed them. */
  get unconfirmed(): number {
    return this.#window.bytes;
  }

  // ── the stream ────────────────────────────────────────────────────────────────────────────────────────────────────

  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
    if (this.#over) queueMicrotask(() => handler.closed(this.#error));
    else if (this.#unread.length > 0) queueMicrotask(() => this.#deliver());
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ending || this.#over) return true;
    const { longest } = this.#place;
    for (let at = 0; at < bytes.length; at += longest) {
      this.#send(LinkKind.Data, bytes.subarray(at, Math.min(at + longest, bytes.length)));
    }
    this.#blocked = this.#window.bytes >= WINDOW;
    return !this.#blocked;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#unread.length > 0) queueMicrotask(() => this.#deliver());
  }

  /** The link is over when the other end has everything. */
  end(): void {
    if (this.#ending || this.#over) return;
    this.#send(LinkKind.End, undefined);
    this.#ending = true;
  }

  destroy(): void {
    if (this.#over) return;
    this.#tell(LinkKind.Abort);
    this.#finish(undefined);
  }

  // ── the bus ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param bytes of the whole message; valid during the call */
  received({ kind, sequence, ack }: LinkMessage, bytes: Uint8Array): void {
    if (this.#over) return;
    if (kind === LinkKind.Abort) {
      // What is unknown there was ended there.
      this.#finish(this.#ending ? undefined : new Error("the other end of the link has closed it"));
      return;
    }
    this.#confirmed(ack, kind === LinkKind.Resend);
    if (this.#over || sequence === 0) return;
    if (sequence === this.#expected) this.#take(kind, bytes);
    else if (sequence > this.#expected) this.#ask();
    // A message that comes again says that its confirmation has not arrived.
    else this.#tell(LinkKind.Ack);
  }

  /** The bus is there again: what was in transit may be lost, in both directions. */
  busIsBack(): void {
    if (this.#over) return;
    this.#tell(LinkKind.Resend);
    this.#probe();
  }

  /** The member at the other end has ended, or another link takes the place of this one. */
  lost(error: Error): void {
    this.#finish(error);
  }

  // ── sending ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #send(kind: LinkKind, bytes: Uint8Array | undefined): void {
    const message = this.#message(kind, this.#window.next, bytes?.length ?? 0);
    if (bytes !== undefined) message.set(bytes, LINK_HEAD);
    this.#window.add(message);
    this.#transmit(message);
    if (this.#cancelResend === undefined) this.#resendLater();
  }

  #transmit(message: Uint8Array): void {
    if (this.#place.isBusThere()) this.#place.send(message);
  }

  #message(kind: LinkKind, sequence: number, length: number): Uint8Array {
    this.#takenBytes = 0;
    this.#takenMessages = 0;
    this.#cancelConfirm?.();
    this.#cancelConfirm = undefined;
    return linkMessage({ ...this.#place.head, kind, sequence, ack: this.#expected }, length);
  }

  /** A message without a number: it may be lost. */
  #tell(kind: LinkKind): void {
    if (this.#place.isBusThere()) this.#place.send(this.#message(kind, 0, 0));
  }

  #confirmed(ack: number, isMissing: boolean): void {
    const isProgress = this.#window.confirm(ack);
    if (isProgress) {
      this.#patience = FIRST_PATIENCE;
      this.#cancelResend?.();
      this.#cancelResend = undefined;
    }
    if (this.#window.isEmpty) {
      this.#probing = false;
      if (this.#ending) this.#finish(undefined);
    } else if (isMissing || (isProgress && this.#probing)) this.#resendAll();
    else if (this.#cancelResend === undefined) this.#resendLater();
    if (this.#over || !this.#blocked || this.#window.bytes > LOW_WATER) return;
    this.#blocked = false;
    this.#handler?.drain();
  }

  #resendAll(): void {
    this.#probing = false;
    for (const message of this.#window.all()) this.#transmit(message);
    this.#resendLater();
  }

  #resendLater(): void {
    const { clock } = this.#place;
    this.#cancelResend?.();
    this.#cancelResend = clock.at(clock.now() + this.#patience, () => {
      this.#cancelResend = undefined;
      this.#patience = Math.min(this.#patience * 2, LAST_PATIENCE);
      this.#probe();
    });
  }

  /** Only the first: it is unknown whether the other end can hear anything at all. */
  #probe(): void {
    const first = this.#window.first();
    if (first === undefined) return;
    this.#probing = true;
    this.#transmit(first);
    this.#resendLater();
  }

  // ── receiving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #take(kind: LinkKind, bytes: Uint8Array): void {
    // As if it had not arrived: it comes again.
    if (this.#unreadBytes > WINDOW) return;
    this.#expected++;
    if (kind === LinkKind.End) {
      this.#tell(LinkKind.Ack);
      this.#endsWhenRead = true;
      if (this.#unread.length === 0) this.#finish(undefined);
      return;
    }
    this.#takenBytes += bytes.length;
    this.#takenMessages++;
    if (this.#takenBytes >= CONFIRM_BYTES || this.#takenMessages >= CONFIRM_MESSAGES) this.#tell(LinkKind.Ack);
    else if (this.#cancelConfirm === undefined) {
      const { clock } = this.#place;
      this.#cancelConfirm = clock.at(clock.now() + CONFIRM_DELAY, () => {
        this.#cancelConfirm = undefined;
        this.#tell(LinkKind.Ack);
      });
    }
    if (this.#paused || this.#handler === undefined || this.#unread.length > 0) {
      this.#unread.push(copyBytes(bytes, LINK_HEAD, bytes.length));
      this.#unreadBytes += bytes.length - LINK_HEAD;
    } else if (!this.#ending) this.#handler.data(bytes, LINK_HEAD, bytes.length);
  }

  #deliver(): void {
    while (!this.#paused && !this.#over && this.#handler !== undefined) {
      const bytes = this.#unread.shift();
      if (bytes === undefined) break;
      this.#unreadBytes -= bytes.length;
      if (!this.#ending) this.#handler.data(bytes, 0, bytes.length);
    }
    if (this.#endsWhenRead && this.#unread.length === 0) this.#finish(undefined);
  }

  /** Messages are missing. */
  #ask(): void {
    const now = this.#place.clock.now();
    if (this.#askedFor === this.#expected && now < this.#askedAt + ASK_AGAIN) return;
    this.#askedFor = this.#expected;
    this.#askedAt = now;
    this.#tell(LinkKind.Resend);
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#window.clear();
    this.#unread = [];
    this.#cancelResend?.();
    this.#cancelConfirm?.();
    this.#place.over(this);
    const handler = this.#handler;
    if (handler !== undefined) queueMicrotask(() => handler.closed(error));
  }
}
