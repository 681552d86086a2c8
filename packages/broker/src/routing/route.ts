// Who gets the messages of a topic.
import type { Peer } from "@wrenmq/cluster";
import type { StoredFilter } from "@wrenmq/topics";
import type { Recipient } from "./recipient.ts";
import type { SharedGroup } from "./shared-groups.ts";

export class Route {
  readonly recipients: readonly Recipient[];
  readonly groups: readonly SharedGroup[];
  /** Other brokers whose subscribers want the topic's messages. */
  readonly peers: readonly Peer[] | undefined;
  /** What it takes up, in subscriptions. */
  readonly weight: number;
  /** The versions of the filters that it was made of. As long as a topic has them, this is its route. */
  readonly #versions: readonly number[];
  /** A route of one topic only: the one it is a copy of. */
  #original: Route | undefined = undefined;
  /** How members of the groups get this topic, for those whose client had to be asked about. */
  #checked: Map<Recipient, Recipient> | undefined = undefined;

  constructor(
    recipients: readonly Recipient[],
    groups: readonly SharedGroup[],
    peers: readonly Peer[] | undefined,
    versions: readonly number[],
    weight: number,
  ) {
    this.recipients = recipients;
    this.groups = groups;
    this.peers = peers;
    this.#versions = versions;
    this.weight = weight;
  }

  /** Was it made of the first `count` of these filters, as they are now? */
  isMadeOf(filters: readonly (StoredFilter | undefined)[], count: number): boolean {
    const versions = this.#versions;
    if (versions.length !== count) return false;
    for (let index = 0; index < count; index++) if (filters[index]?.version !== versions[index]) return false;
    return true;
  }

  /** The same route for one topic alone, with the access rules' verdicts about it. */
  forOneTopic(): Route {
    const recipients = this.recipients.map((recipient) => recipient.withoutVerdict());
    const route = new Route(recipients, this.groups, this.peers, this.#versions, this.weight);
    route.#original = this;
    return route;
  }

  isCopyOf(other: Route): boolean {
    return this.#original === other;
  }

  /** A group's member stands for all topics of its filter, the access rules' verdict for one: it is kept here. */
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
