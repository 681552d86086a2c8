// Shared subscriptions: each message goes to one member of the group. [MQTT5 4.8.2]
import type { Peer } from "@wrenmq/cluster";
import type { SessionEntry } from "../sessions/session-entry.ts";
import type { Recipient } from "./recipient.ts";

/**
 * round-robin: in turn; random; sticky: always the same member while it can; publisher: messages of one client go to
 * one member, so that their order is kept. All prefer members that are connected and keep up.
 */
export type ShareStrategy = "round-robin" | "random" | "sticky" | "publisher";

/** The number of members of a group at one broker. */
interface Side {
  readonly connected: number;
  readonly members: number;
}

const NOBODY: Side = { connected: 0, members: 0 };

export class SharedGroup {
  /** As subscribed to: `$share/…`. */
  readonly filter: string;
  /** It may contain ended sessions for a while. */
  readonly members: Recipient[] = [];
  /** Connected members here, as other brokers know it. */
  connectedHere: number = 0;
  readonly #strategy: ShareStrategy;
  #next = 0;
  #nextSide = 0;
  #elsewhere: Map<Peer, Side> | undefined;

  constructor(filter: string, strategy: ShareStrategy) {
    this.filter = filter;
    this.#strategy = strategy;
  }

  get isEmpty(): boolean {
    return this.members.length === 0 && this.#elsewhere === undefined;
  }

  /** Is there a member that could get a message? */
  get isWanted(): boolean {
    return this.hasMembers || this.#elsewhere !== undefined;
  }

  /** Is there a member here whose session has not ended? */
  get hasMembers(): boolean {
    return this.members.some(({ entry }) => !entry.ended);
  }

  /** @returns is it a new member? */
  set(member: Recipient): boolean {
    const index = this.#indexOf(member.entry);
    if (index >= 0) this.members[index] = member;
    else this.members.push(member);
    return index < 0;
  }

  /** @returns was there one? */
  delete(entry: SessionEntry): boolean {
    const index = this.#indexOf(entry);
    if (index >= 0) this.members.splice(index, 1);
    return index >= 0;
  }

  #indexOf(entry: SessionEntry): number {
    return this.members.findIndex((member) => member.entry === entry);
  }

  setElsewhere(peer: Peer, connected: number, members: number): void {
    if (members > 0) {
      this.#elsewhere ??= new Map();
      this.#elsewhere.set(peer, { connected, members });
    } else if (this.#elsewhere?.delete(peer) === true && this.#elsewhere.size === 0) this.#elsewhere = undefined;
  }

  /** Could it be the peer's turn? */
  mayChoose(peer: Peer): boolean {
    const side = this.#elsewhere?.get(peer);
    if (side === undefined || side.connected > 0) return side !== undefined;
    if (this.connectedHere > 0 && this.hasMembers) return false;
    return ![...(this.#elsewhere?.values() ?? [])].some(({ connected }) => connected > 0);
  }

  /** The broker whose turn it is, in proportion to its members; undefined: this one. */
  chooseSide(publisher: string, self: number): Peer | undefined {
    if (this.#elsewhere === undefined) return undefined;
    const here = this.hasMembers ? { connected: this.connectedHere, members: this.members.length } : NOBODY;
    const sides: { readonly peer: Peer | undefined; readonly weight: number }[] = [];
    const isAnyConnected = here.connected > 0 || [...this.#elsewhere.values()].some(({ connected }) => connected > 0);
    let total = 0;
    const add = (peer: Peer | undefined, { connected, members }: Side): void => {
      const weight = isAnyConnected ? connected : members;
      total += weight;
      if (weight > 0) sides.push({ peer, weight });
    };
    add(undefined, here);
    for (const [peer, elsewhere] of this.#elsewhere) add(peer, elsewhere);
    if (this.#strategy === "sticky") {
      sides.sort((one, other) => (one.peer?.id ?? self) - (other.peer?.id ?? self));
      return sides[0]?.peer;
    }
    let turn = this.#sideTurn(publisher, total);
    for (const { peer, weight } of sides) {
      turn -= weight;
      if (turn < 0) return peer;
    }
    return undefined;
  }

  #sideTurn(publisher: string, total: number): number {
    if (total === 0) return 0;
    if (this.#strategy === "random") return Math.floor(Math.random() * total);
    if (this.#strategy === "publisher") return hash(publisher) % total;
    this.#nextSide = (this.#nextSide + 1) % total;
    return this.#nextSide;
  }

  /** The member that gets a message of `publisher`; undefined: the group has no members. */
  choose(publisher: string): Recipient | undefined {
    const { members } = this;
    const count = members.length;
    if (count === 0) return undefined;
    const start = this.#start(publisher, count);
    let fallback: Recipient | undefined;
    let chosen: Recipient | undefined;
    for (let offset = 0; offset < count && chosen === undefined; offset++) {
      const member = members[(start + offset) % count] as Recipient;
      const { session, ended } = member.entry;
      if (ended) continue;
      if (session.link !== undefined && !session.link.blocked && !session.congested) {
        chosen = member;
        if (this.#strategy === "round-robin") this.#next = (start + offset + 1) % count;
      } else if (session.link !== undefined || fallback === undefined) {
        fallback = member;
      }
    }
    return chosen ?? fallback;
  }

  #start(publisher: string, count: number): number {
    switch (this.#strategy) {
      case "round-robin":
        return this.#next % count;
      case "random":
        return Math.floor(Math.random() * count);
      case "sticky":
        return 0;
      case "publisher":
        return hash(publisher) % count;
    }
  }
}

function hash(text: string): number {
  let value = 0;
  for (let index = 0; index < text.length; index++) value = (Math.imul(value, 31) + text.charCodeAt(index)) >>> 0;
  return value;
}
