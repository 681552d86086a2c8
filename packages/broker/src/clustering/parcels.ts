// Messages on their way to peers that must arrive there once and that nobody sends again: at QoS 2 those of clients, whose
// packet identifier is held from then on, and everything above QoS 0 that no client waits for (wills, the server's own).
// Each is an entry of the outbox, leaves when that is durable, and goes when all peers have answered.
import {
  type ClusterBus,
  type ForwardResult,
  type ForwardTarget,
  type Origin,
  Parcel,
  type Peer,
} from "@wrenmq/cluster";
import type { Message, Session } from "@wrenmq/protocol";
import type { OutboxEntry, OutboxTarget } from "@wrenmq/store";
import type { FactLog } from "../persistence/fact-log.ts";
import type { MessageOutbox } from "../persistence/message-outbox.ts";

/** A peer, and for whom the message is there. */
export type Send = readonly [Peer, ForwardTarget];

/** Parcels whose facts are in one batch. */
type Departure = (readonly [Parcel, readonly Send[]])[];

/** Who waits for PUBREC. */
export interface Exchange {
  readonly session: Session | undefined;
  readonly packetId: number;
}

export class Parcels {
  readonly #bus: ClusterBus;
  readonly #factLog: FactLog;
  readonly #outbox: MessageOutbox;
  readonly #leaving: () => void;
  #origins: Origin[];
  /** What became part of a batch of facts together: it leaves when that is durable. First in, first out. */
  #departures: Departure[] = [];
  #turn = -1;

  /** @param leaving called when parcels are about to leave, between whatever else does */
  constructor(bus: ClusterBus, factLog: FactLog, outbox: MessageOutbox, leaving: () => void) {
    this.#bus = bus;
    this.#leaving = leaving;
    this.#factLog = factLog;
    this.#outbox = outbox;
    this.#origins = [{ store: globalThis.crypto.randomUUID(), run: outbox.run }];
  }

  /** Where the numbers of parcels come from; this process first. */
  get origins(): readonly Origin[] {
    return this.#origins;
  }

  /** @param identity what the store is known by; undefined: it gets a name now */
  begin(identity: string | undefined): void {
    const store = identity ?? globalThis.crypto.randomUUID();
    this.#origins = [{ store, run: this.#outbox.run }];
    if (identity === undefined) this.#factLog.record({ op: "putIdentity", identity: store }, undefined);
  }

  /** A message of which all facts are recorded in this turn. `exchange` is acknowledged by who waits for the parcel. */
  send(message: Message, sends: readonly Send[], { session, packetId }: Exchange): Parcel {
    // A client whose session ends with this process does not come back for its packet identifier.
    const isStored = packetId === 0 || session?.facts !== undefined;
    const targets = isStored ? sends.map(targetOf) : [];
    const clientId = session?.clientId ?? "";
    const number = this.#outbox.put(message, isStored ? { clientId, packetId, targets } : undefined);
    const parcel = new OutboxParcel(message, this.#origins[0] as Origin, number, this.#outbox, isStored);
    parcel.waiting = sends.length;
    this.#depart(parcel, sends);
    return parcel;
  }

  /** A parcel that an earlier process has left: it is durable. */
  resume({ run, number }: OutboxEntry, message: Message, sends: readonly Send[]): Parcel {
    const [{ store }] = this.#origins as [Origin];
    let origin = this.#origins.find((one) => one.run === run);
    if (origin === undefined) {
      origin = { store, run };
      this.#origins.push(origin);
    }
    const parcel = new OutboxParcel(message, origin, number, this.#outbox, true);
    parcel.waiting = sends.length;
    for (const [peer, target] of sends) this.#bus.handOver(peer, parcel, target);
    return parcel;
  }

  #depart(parcel: Parcel, sends: readonly Send[]): void {
    const factLog = this.#factLog;
    const latest = this.#departures.at(-1);
    if (latest !== undefined && this.#turn === factLog.turn) latest.push([parcel, sends]);
    else if (latest === undefined && factLog.isSettled) this.#handOver(parcel, sends);
    else {
      this.#turn = factLog.turn;
      const departure: Departure = [[parcel, sends]];
      this.#departures.push(departure);
      this.#whenDurable(departure);
    }
  }

  #whenDurable(departure: Departure): void {
    const factLog = this.#factLog;
    factLog.whenDurable((error) => {
      if (error === undefined) this.#leave(departure);
      else factLog.whenRecovered(() => this.#whenDurable(departure));
    });
  }

  /** It, and what was to leave before it. */
  #leave(departure: Departure): void {
    for (let first = this.#departures.shift(); first !== undefined; first = this.#departures.shift()) {
      for (const [parcel, sends] of first) this.#handOver(parcel, sends);
      if (first === departure) return;
    }
  }

  #handOver(parcel: Parcel, sends: readonly Send[]): void {
    this.#leaving();
    for (const [peer, target] of sends) this.#bus.handOver(peer, parcel, target);
  }
}

class OutboxParcel extends Parcel {
  readonly #outbox: MessageOutbox;
  readonly #isStored: boolean;

  constructor(message: Message, origin: Origin, number: number, outbox: MessageOutbox, isStored: boolean) {
    super(message, origin, number);
    this.#outbox = outbox;
    this.#isStored = isStored;
  }

  override settle(sequence: number, count: number, result: ForwardResult): void {
    // Who waits is told first: that the entry is not needed any more is nothing to wait for.
    super.settle(sequence, count, result);
    if (this.waiting === 0) this.#outbox.settle(this.number, this.#isStored);
  }
}

function targetOf([peer, { plain, groups, retainedAt, homes }]: Send): OutboxTarget {
  return { kind: "member", member: peer.id, plain, groups: groups ?? [], retainedAt, homes: homes ?? [] };
}
