// The links of one member to the others, over a bus that they share. A member that is silent is away, and its link waits;
// a link ends with the member, and only the membership knows when that is.
import type { Clock, MeshMember, MeshTransport } from "@wrenmq/cluster";
import type { Accept, ExternalConnection } from "@wrenmq/transport";
import { LinkEnd } from "./link-end.ts";
import { LINK_HEAD, LinkKind, type LinkMessage, linkMessage, readLinkMessage } from "./link-message.ts";

/** Bytes of the longest message, with its head. */
const LONGEST = 256 * 1024;
/** Milliseconds between two attempts to open a link, and for all of them. */
const OPEN_AGAIN = 250;
const OPEN_PATIENCE = 2_000;
/** Milliseconds that links have at the end to send what waits. */
const END_PATIENCE = 1_000;

/** What carries messages between members. Those that it loses are sent again. */
export interface LinkBus {
  readonly isThere: boolean;
  /** Bytes of the longest message that it carries. */
  readonly longest: number;
  send(to: MeshMember, message: Uint8Array): void;
}

interface Opening {
  readonly link: LinkEnd;
  opened(): void;
  failed(error: Error): void;
}

export class NatsMesh implements MeshTransport {
  readonly #self: MeshMember;
  readonly #bus: LinkBus;
  readonly #clock: Clock;
  #members: readonly MeshMember[] = [];
  #accept: Accept | undefined;
  /** There is one link to each member. */
  readonly #links = new Map<number, { readonly run: number; readonly link: LinkEnd; readonly byDialler: boolean }>();
  readonly #openings = new Map<number, Opening>();
  #lastNumber = 0;
  /** Called when the last link is over. */
  #whenOver: (() => void) | undefined;

  constructor(self: MeshMember, bus: LinkBus, clock: Clock) {
    this.#self = self;
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Ends the links to members that are gone. */
  setMembers(members: readonly MeshMember[]): void {
    this.#members = members;
    for (const [id, { run, link }] of [...this.#links]) {
      if (!members.some((one) => one.id === id && one.run === run)) link.lost(new Error(`member ${id} is gone`));
    }
  }

  /** Bytes that wait for confirmations, for each member. */
  unconfirmed(id: number): number {
    return this.#links.get(id)?.link.unconfirmed ?? 0;
  }

  // ── transport ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async listen(accept: Accept): Promise<void> {
    this.#accept = accept;
  }

  dial(id: number): Promise<ExternalConnection> {
    const member = this.#members.find((one) => one.id === id);
    if (member === undefined || !this.#bus.isThere) return Promise.reject(new Error(`member ${id} is not there`));
    this.#lastNumber++;
    const head = { byDialler: true, from: this.#self.id, run: this.#self.run, link: this.#lastNumber };
    const link = this.#make(member, head);
    const clock = this.#clock;
    return new Promise((resolve, reject) => {
      const end = clock.now() + OPEN_PATIENCE;
      let cancel = (): void => {};
      const over = (): void => {
        cancel();
        if (this.#openings.get(id)?.link === link) this.#openings.delete(id);
      };
      const open = (): void => {
        if (clock.now() >= end) {
          link.destroy();
          return;
        }
        if (this.#bus.isThere)
          this.#bus.send(member, linkMessage({ ...head, kind: LinkKind.Open, sequence: 0, ack: 0 }, 0));
        cancel = clock.at(clock.now() + OPEN_AGAIN, open);
      };
      const opening: Opening = {
        link,
        opened() {
          over();
          resolve(link);
        },
        failed(error) {
          over();
          reject(error);
        },
      };
      this.#openings.set(id, opening);
      open();
    });
  }

  async close(): Promise<void> {
    this.#accept = undefined;
    if (this.#links.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.at(this.#clock.now() + END_PATIENCE, resolve);
      this.#whenOver = () => {
        cancel();
        resolve();
      };
    });
    this.#whenOver = undefined;
    for (const { link } of [...this.#links.values()]) link.destroy();
  }

  // ── the bus ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param bytes a message for this member; valid during the call */
  received(bytes: Uint8Array): void {
    const message = readLinkMessage(bytes);
    if (message === undefined) return;
    const sender = this.#members.find(({ id, run }) => id === message.from && run === message.run);
    // It is gone, or new: a new one is known soon, and opens its link again until then.
    if (sender === undefined) return;
    if (message.kind === LinkKind.Open) {
      this.#opened(sender, message);
      return;
    }
    const known = this.#links.get(message.from);
    const isKnown = known?.link.number === message.link && known.byDialler !== message.byDialler;
    if (!isKnown) {
      if (message.kind !== LinkKind.Abort) this.#abort(sender, message);
      return;
    }
    const opening = this.#openings.get(message.from);
    if (opening !== undefined && message.kind !== LinkKind.Abort) opening.opened();
    if (message.kind !== LinkKind.Opened) known.link.received(message, bytes);
  }

  busIsBack(): void {
    for (const { link } of [...this.#links.values()]) link.busIsBack();
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #opened(sender: MeshMember, { link: number, byDialler }: LinkMessage): void {
    const known = this.#links.get(sender.id);
    const head = { byDialler: false, from: this.#self.id, run: this.#self.run, link: number };
    if (!byDialler || this.#accept === undefined) return;
    if (known === undefined || known.link.number < number) {
      const link = this.#make(sender, head);
      const handler = this.#accept(link);
      if (handler === undefined) {
        link.destroy();
        return;
      }
      link.attach(handler);
    } else if (known.link.number > number) return;
    this.#bus.send(sender, linkMessage({ ...head, kind: LinkKind.Opened, sequence: 0, ack: 0 }, 0));
  }

  #abort(to: MeshMember, { link, byDialler }: LinkMessage): void {
    const head = { byDialler: !byDialler, from: this.#self.id, run: this.#self.run, link };
    if (this.#bus.isThere) this.#bus.send(to, linkMessage({ ...head, kind: LinkKind.Abort, sequence: 0, ack: 0 }, 0));
  }

  #make(member: MeshMember, head: Pick<LinkMessage, "byDialler" | "from" | "run" | "link">): LinkEnd {
    const { id, run } = member;
    const bus = this.#bus;
    this.#links.get(id)?.link.lost(new Error("another link takes its place"));
    const link = new LinkEnd({
      clock: this.#clock,
      head,
      remoteAddress: `member ${id}`,
      longest: Math.min(LONGEST, bus.longest) - LINK_HEAD,
      isBusThere: () => bus.isThere,
      send: (message) => bus.send(member, message),
      over: (ended) => {
        if (this.#links.get(id)?.link === ended) this.#links.delete(id);
        const opening = this.#openings.get(id);
        if (opening?.link === ended) opening.failed(new Error(`member ${id} does not answer`));
        if (this.#links.size === 0) this.#whenOver?.();
      },
    });
    this.#links.set(id, { run, link, byDialler: head.byDialler });
    return link;
  }
}
