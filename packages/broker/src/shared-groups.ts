// Shared subscriptions: of all members of a group one gets the message. [MQTT5 4.8.2]
import type { SubscriptionRecord } from "@wrenmq/protocol";
import type { SessionEntry } from "./session-registry.ts";

/**
 * round-robin: one after the other; random; sticky: always the same as long as it can; publisher: messages of one client
 * go to one member, so that their order holds. All prefer members that are connected and take what they are sent.
 */
export type ShareStrategy = "round-robin" | "random" | "sticky" | "publisher";

export interface Member {
  readonly entry: SessionEntry;
  readonly record: SubscriptionRecord;
}

export class SharedGroup {
  readonly members: Member[] = [];
  readonly #strategy: ShareStrategy;
  #next = 0;

  constructor(strategy: ShareStrategy) {
    this.#strategy = strategy;
  }

  set(entry: SessionEntry, record: SubscriptionRecord): SubscriptionRecord | undefined {
    const index = this.members.findIndex((member) => member.entry === entry);
    const previous = this.members[index]?.record;
    if (index >= 0) this.members[index] = { entry, record };
    else this.members.push({ entry, record });
    return previous;
  }

  delete(entry: SessionEntry): SubscriptionRecord | undefined {
    const index = this.members.findIndex((member) => member.entry === entry);
    return index < 0 ? undefined : this.members.splice(index, 1)[0]?.record;
  }

  /** Who gets a message of `publisher`; undefined in a group without members. */
  choose(publisher: string): Member | undefined {
    const { members } = this;
    const count = members.length;
    if (count === 0) return undefined;
    const start = this.#start(publisher, count);
    let fallback: Member | undefined;
    let chosen: Member | undefined;
    for (let offset = 0; offset < count && chosen === undefined; offset++) {
      const member = members[(start + offset) % count] as Member;
      const { session } = member.entry;
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
