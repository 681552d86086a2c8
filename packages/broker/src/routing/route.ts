// The recipients of the messages of a topic.
import type { Peer } from "@wrenmq/cluster";
import type { StoredFilter } from "@wrenmq/topics";
import type { MessageWatch } from "./message-watch.ts";
import type { Recipient } from "./recipient.ts";
import type { SharedGroup } from "./shared-groups.ts";

export class Route {
  readonly recipients: readonly Recipient[];
  readonly groups: readonly SharedGroup[];
  /** Other brokers with subscribers to the topic. */
  readonly peers: readonly Peer[] | undefined;
  /** Operators who look at the messages of the topic; undefined: nobody does. */
  readonly watches: readonly MessageWatch[] | undefined;
  /** Its size, in subscriptions. */
  readonly weight: number;
  /** Versions of the filters that it was made of. It is the route of a topic that has the same versions. */
  readonly #versions: readonly number[];
  /** The route of which this one is a copy, for one topic only. */
  #original: Route | undefined = undefined;
  /** Members of groups with the verdict for this topic. */
  #checked: Map<Recipient, Recipient> | undefined = undefined;

  constructor(
    recipients: readonly Recipient[],
    groups: readonly SharedGroup[],
    peers: readonly Peer[] | undefined,
    watches: readonly MessageWatch[] | undefined,
    versions: readonly number[],
    weight: number,
  ) {
    this.recipients = recipients;
    this.groups = groups;
    this.peers = peers;
    this.watches = watches;
    this.#versions = versions;
    this.weight = weight;
  }

  /** Was it made of the first `count` of these filters in their present versions? */
  isMadeOf(filters: readonly (StoredFilter | undefined)[], count: number): boolean {
    const versions = this.#versions;
    if (versions.length !== count) return false;
    for (let index = 0; index < count; index++) if (filters[index]?.version !== versions[index]) return false;
    return true;
  }

  /** The same route for one topic only, with its verdicts. */
  forOneTopic(): Route {
    const recipients = this.recipients.map((recipient) => recipient.withoutVerdict());
    const route = new Route(recipients, this.groups, this.peers, this.watches, this.#versions, this.weight);
    route.#original = this;
    return route;
  }

  isCopyOf(other: Route): boolean {
    return this.#original === other;
  }

  /** A group's member is shared by all topics of its filter, but a verdict is for one topic: it is stored here. */
  checked(member: Recipient): Recipient {
    this.#checked ??= new Map();
    let recipient = this.#checked.get(member);
    if (recipient === undefined) {
      recipient = member.withoutVerdict();
      this.#checked.set(member, recipient);
    }
    return recipient;
  }
}
