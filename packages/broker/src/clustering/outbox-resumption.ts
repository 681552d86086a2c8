// Resumes the outbox of an earlier process, and holds messages that are not sent again while the subscriptions of peers
// are unknown: they are sent as they were addressed, or routed when all peers have sent their subscriptions.
import type { ClusterBus, ForwardTarget, Peer } from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { Message, Millis, Session } from "@wrenmq/protocol";
import type { OutboxEntry, OutboxTarget } from "@wrenmq/store";
import type { MessageOutbox } from "../persistence/message-outbox.ts";
import { PublishWaits } from "../routing/publish-waits.ts";
import type { Router } from "../routing/router.ts";
import type { Parcels, Send } from "./parcels.ts";

type Forwarded = Extract<OutboxTarget, { readonly plain: boolean }>;
type ForSession = Extract<OutboxTarget, { readonly kind: "session" }>;

export interface ResumptionParts {
  readonly bus: ClusterBus;
  readonly router: Router;
  readonly outbox: MessageOutbox;
  readonly parcels: Parcels;
  now(): Millis;
  /** The broker that stores the topic's retained message. */
  keeper(topic: string): number;
  /** Delivers to sessions of this broker. */
  deliverHere(message: Message, target: ForwardTarget, now: Millis, waits: PublishWaits): void;
}

/** A message whose outbox entry is recorded in the batch of its deliveries. */
interface Postponed {
  readonly message: Message;
  readonly number: number;
  route(now: Millis): void;
}

export class OutboxResumption {
  readonly #parts: ResumptionParts;
  readonly #waits = new PublishWaits();
  #postponed: Postponed[] = [];

  constructor(parts: ResumptionParts) {
    this.#parts = parts;
  }

  /** Holds a message until its subscribers are known. */
  postpone(message: Message): void {
    const number = this.#parts.outbox.put(message, { clientId: "", packetId: 0, targets: [{ kind: "unrouted" }] });
    this.#postponed.push({ message, number, route: (now) => this.#publish(message, now) });
  }

  /** All peers have sent their subscriptions. */
  routesKnown(): void {
    const { outbox, now } = this.#parts;
    const postponed = this.#postponed;
    this.#postponed = [];
    for (const { number, route } of postponed) {
      route(now());
      outbox.settle(number);
    }
  }

  /** @param session of the client that waits for PUBREC */
  resume(entry: OutboxEntry, message: Message, session: Session | undefined): void {
    const { bus, parcels } = this.#parts;
    const sends = entry.targets.flatMap((target): Send[] => {
      const peer = target.kind === "member" ? bus.peers.find(({ id }) => id === target.member) : undefined;
      return target.kind === "member" && peer !== undefined ? [[peer, forwardTarget(target)]] : [];
    });
    if (sends.length === entry.targets.length) {
      const parcel = parcels.resume(entry, message, sends);
      parcel.whenSettled = () => session?.settleInbound(entry.packetId, ReasonCode.Success);
      return;
    }
    const { number } = entry;
    this.#postponed.push({ message, number, route: (now) => this.#routeAnew(entry, message, session, now) });
    if (!bus.isUncertain) this.routesKnown();
  }

  #publish(message: Message, now: Millis): void {
    const { router } = this.#parts;
    this.#waits.clear();
    if (router.publish(message, now, this.#waits) >= 0x80) {
      router.dropped(message.publisher, message, "storeFull", "publisher");
    }
  }

  /** The number of brokers has changed. Each target becomes a separate parcel: a peer takes a number once. */
  #routeAnew({ targets, packetId }: OutboxEntry, message: Message, session: Session | undefined, now: Millis): void {
    const { router, parcels, deliverHere } = this.#parts;
    let waiting = 1;
    const answered = (): void => {
      waiting--;
      if (waiting === 0) session?.settleInbound(packetId, ReasonCode.Success);
    };
    for (const target of targets) {
      if (target.kind === "unrouted") this.#publish(message, now);
      if (target.kind === "session") reassign(router, target, message, now);
      if (target.kind === "unrouted" || target.kind === "session") continue;
      this.#waits.clear();
      deliverHere(message, forwardTarget(target), now, this.#waits);
      const sends = this.#sends(message.topic, target);
      if (sends.length === 0) continue;
      waiting++;
      const exchange = session === undefined ? { session, packetId: 0 } : { session, packetId };
      parcels.send(message, sends, exchange).whenSettled = answered;
    }
    answered();
  }

  /** Shared subscriptions are served from here: their members may be at any broker now. */
  #sends(topic: string, target: Forwarded): Send[] {
    const { bus, keeper } = this.#parts;
    return bus.peers.flatMap((peer: Peer): Send[] => {
      const retainedAt = keeper(topic) === peer.id ? target.retainedAt : 0;
      if (!target.plain && retainedAt === 0) return [];
      return [[peer, { ...forwardTarget(target), groups: undefined, retainedAt }]];
    });
  }
}

/** Its session has ended; if it got the message for a shared subscription, other members get it. */
export function reassign(router: Router, { clientId, sharedFilter }: ForSession, message: Message, now: Millis): void {
  if (sharedFilter !== undefined) router.reassignAll(clientId, [{ message, sharedFilter }], now);
}

function forwardTarget({ plain, groups, retainedAt, homes }: Forwarded): ForwardTarget {
  return {
    plain,
    groups: groups.length > 0 ? groups : undefined,
    retainedAt,
    // Other peers may have connected since, and were not told.
    isOld: true,
    homes: homes.length > 0 ? homes : undefined,
  };
}
