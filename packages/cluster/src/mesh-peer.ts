// The state of one other broker, across the links to it: its routes, and what waits for it or for its answers. While a
// peer whose sessions outlive the loss of its link is not connected, their routes stay, and messages above QoS 0 for them
// are held: their publishers wait for their acknowledgements until it is back, or gone.
import type { Message } from "@wrenmq/protocol";
import type { ForwardTarget, LocalNode, Peer } from "./cluster-bus.ts";
import { ForwardResult } from "./forward-result.ts";
import type { Ticket } from "./forward-ticket.ts";
import { type Handover, Handovers } from "./handovers.ts";
import { SharedTicket } from "./mesh/shared-ticket.ts";
import type { MeshLink } from "./mesh-link.ts";
import type { Parcel } from "./parcel.ts";
import { PendingTickets } from "./pending-tickets.ts";

/** Bytes and messages that are held for a peer that is not connected. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
const MAX_HELD_MESSAGES = 100_000;
const HELD_OVERHEAD = 200;
/** Bytes of unanswered parcels to a connected peer. */
const HIGH_WATER = 16 * 1024 * 1024;

interface Held {
  readonly message: Message;
  readonly target: ForwardTarget;
  readonly ticket: Ticket | undefined;
}

export class MeshPeer implements Peer {
  readonly id: number;
  link: MeshLink | undefined = undefined;
  up: boolean = false;
  /** Do its sessions outlive its process? Until its greeting the same is assumed as of this broker. */
  durable: boolean;
  metrics: Readonly<Record<string, number>> | undefined = undefined;
  /** Counts the links: messages for an old one must not reach a new one. */
  generation: number = 0;
  /** Are its durable subscriptions known, from this link or an earlier one? */
  isKnown: boolean = false;
  /** Has it sent all retained messages on this link? */
  isSynchronised: boolean = false;
  /** In which of the processes that had its number it runs; 0: the number is all. */
  readonly run: number;
  /** Is the loss of a link not the end of its process? Then all sessions outlive it, until `gone`. */
  readonly #isFar: boolean;
  /** Called when it has been told the routes of this broker, or is gone. */
  #whenTold: (() => void)[] = [];
  #isGone = false;
  readonly #node: LocalNode;
  /** Filters, and whether they are durable. */
  readonly #routes = new Map<string, boolean>();
  readonly #groups = new Map<string, boolean>();
  /** Routes that the peer has sent on this link so far, until all have arrived. */
  #told: Set<string> | undefined;
  #pending = new PendingTickets();
  #held: Held[] = [];
  #heldBytes = 0;
  readonly #handovers = new Handovers();

  /** @param run undefined: its process ends with its link */
  constructor(id: number, node: LocalNode, run?: number) {
    this.id = id;
    this.run = run ?? 0;
    this.#isFar = run !== undefined;
    this.durable = node.durable;
    this.#node = node;
  }

  linked(link: MeshLink, durable: boolean): void {
    this.link = link;
    this.#handovers.link = link;
    this.durable = durable;
    this.generation++;
    const unanswered = this.#pending;
    this.#pending = new PendingTickets();
    unanswered.settleAll(ForwardResult.Refused);
    this.#told = new Set();
    this.isSynchronised = false;
  }

  /** The routes of this broker were sent over the link. */
  routesTold(link: MeshLink): void {
    const whenTold = this.#whenTold;
    this.#whenTold = [];
    for (const passed of whenTold) link.barrier(passed);
  }

  /** Calls back when the peer knows the present routes of this broker, or is gone. */
  whenTold(passed: () => void): void {
    if (this.link !== undefined) this.link.barrier(passed);
    else this.#whenTold.push(passed);
  }

  setRoute(filter: string, durable: boolean): void {
    this.#told?.add(filter);
    if (!this.#routes.has(filter)) this.#node.routeSet(this, filter);
    this.#routes.set(filter, durable);
  }

  removeRoute(filter: string): void {
    if (this.#routes.delete(filter)) this.#node.routeRemoved(this, filter);
  }

  setGroup(filter: string, connected: number, members: number, durable: boolean): void {
    this.#told?.add(filter);
    if (members === 0) this.#groups.delete(filter);
    else this.#groups.set(filter, durable);
    this.#node.groupSet(this, filter, connected, members);
  }

  /** All routes of the peer have arrived: it is up. */
  routesEnded(): void {
    const told = this.#told ?? new Set();
    this.#told = undefined;
    for (const filter of [...this.#routes.keys()]) if (!told.has(filter)) this.removeRoute(filter);
    for (const filter of [...this.#groups.keys()]) if (!told.has(filter)) this.setGroup(filter, 0, 0, false);
    this.up = true;
    this.isKnown = true;
    // They are older than held messages, or there is no order between them.
    for (const handover of this.#handovers) this.#sendParcel(handover);
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const { message, target, ticket } of held) this.#send(message, target, ticket);
  }

  forward(message: Message, target: ForwardTarget, given: Ticket | undefined): void {
    const { groups } = target;
    const ticket =
      this.#isFar && groups !== undefined && message.qos > 0 ? this.#shared(message, groups, given) : given;
    ticket?.expect();
    if (this.up) this.#send(message, target, ticket);
    else if (message.qos === 0 || !this.#staysUnlinked) ticket?.settle(0, 1, ForwardResult.Nobody);
    else this.#hold(message, target, ticket);
  }

  /** Number of messages that wait for it or for its answer; without parcels only those that wait for it. */
  get waiting(): number {
    return this.#held.length + this.#handovers.size;
  }

  /** Does it answer parcels more slowly than publishers send them? */
  get isBehind(): boolean {
    return this.up && this.#handovers.bytes > HIGH_WATER;
  }

  handOver(parcel: Parcel, target: ForwardTarget): void {
    const handover = this.#handovers.add(parcel, target, sizeOf(parcel.message));
    if (this.up) this.#sendParcel(handover);
    else if (!this.#staysUnlinked) this.#handovers.answer(handover, ForwardResult.Nobody);
  }

  answered(sequence: number, count: number, result: ForwardResult): void {
    this.#pending.settle(sequence, count, result);
  }

  /** It ends in order: what there is for it from now on waits for its next process, as if the link were lost. */
  leaves(): void {
    this.up = false;
    this.#pending.end();
  }

  /** The link is lost, and with it everything that does not outlive it. */
  lost(): void {
    this.link = undefined;
    this.#handovers.link = undefined;
    this.up = false;
    this.#told = undefined;
    this.metrics = undefined;
    for (const [filter, durable] of [...this.#routes]) if (!this.#outlivesLink(durable)) this.removeRoute(filter);
    for (const [filter, durable] of [...this.#groups]) {
      if (this.#outlivesLink(durable)) this.#node.groupSet(this, filter, 0, 1);
      else this.setGroup(filter, 0, 0, false);
    }
    // It is unknown whether they were delivered. Where sessions end with their process, none is left that could miss a
    // message. That a member of a cluster closes its link is the beginning of its end: whether it is, is known soon.
    if (this.#isFar && !this.#isGone && !this.durable) this.#pending.end();
    else this.#pending.settleAll(this.#staysUnlinked ? ForwardResult.Refused : ForwardResult.Nobody);
    if (!this.#staysUnlinked) this.#handovers.answerAll(ForwardResult.Nobody);
  }

  /** Its process has ended, and its sessions with it: nobody is left there who could miss a message. */
  gone(): void {
    this.#isGone = true;
    this.lost();
    this.#settleHeld(ForwardResult.Nobody);
    const whenTold = this.#whenTold;
    this.#whenTold = [];
    for (const passed of whenTold) passed();
  }

  get #staysUnlinked(): boolean {
    return this.#isFar ? !this.#isGone : this.durable;
  }

  #outlivesLink(isDurable: boolean): boolean {
    return this.#staysUnlinked && (this.#isFar || isDurable);
  }

  /** The broker stops: no answer will come. Parcels stay with the broker that has made them. */
  close(): void {
    this.#handovers.link = undefined;
    this.#settleHeld(ForwardResult.Refused);
    this.#pending.settleAll(ForwardResult.Refused);
  }

  /** For a peer that is not connected: is there no space to hold the message for it? */
  isFull(message: Message): boolean {
    const bytes = this.#heldBytes + this.#handovers.bytes + sizeOf(message);
    return this.#staysUnlinked && (this.waiting >= MAX_HELD_MESSAGES || bytes > MAX_HELD_BYTES);
  }

  #shared(message: Message, groups: readonly string[], ticket: Ticket | undefined): Ticket {
    message.keep();
    return new SharedTicket(
      ticket,
      () => this.#isGone,
      () => this.#node.chooseAgain(message, groups),
    );
  }

  /** Each as if it had been sent and answered: a batch counts its messages by their sequence numbers. */
  #settleHeld(result: ForwardResult): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    const pending = new PendingTickets();
    for (const { ticket } of held) if (ticket !== undefined) pending.add(ticket);
    pending.settleAll(result);
  }

  #send(message: Message, target: ForwardTarget, ticket: Ticket | undefined): void {
    this.link?.forward(message, target, ticket === undefined ? -1 : this.#pending.add(ticket));
  }

  #sendParcel(handover: Handover): void {
    handover.sentOver = this.link;
    this.link?.handOver(handover.parcel, handover.target, this.#pending.add(handover));
  }

  #hold(message: Message, target: ForwardTarget, ticket: Ticket | undefined): void {
    if (this.isFull(message)) {
      ticket?.settle(0, 1, ForwardResult.Refused);
      return;
    }
    message.keep();
    this.#heldBytes += sizeOf(message);
    const { plain, groups, retainedAt, isOld, homes } = target;
    this.#held.push({ message, target: { plain, groups, retainedAt, isOld, homes }, ticket });
  }
}

function sizeOf(message: Message): number {
  return message.weight + HELD_OVERHEAD;
}
