// Messages that must reach peers exactly once and are not sent again by a publisher: QoS 2 messages of clients, whose
// packet identifier is held from then on, and messages above QoS 0 without a client that waits (wills, the server's
// own). Each is an entry of the outbox; it is sent when that is durable, and removed when all peers have answered.
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

/** A peer, and the receivers there. */
export type Send = readonly [Peer, ForwardTarget];

/** Parcels whose facts are in one batch. */
type Departure = (readonly [Parcel, readonly Send[]])[];

/** The client that waits for PUBREC. */
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
  /** Parcels of each batch: they are sent when it is durable. First in, first out. */
  #departures: Departure[] = [];
  #turn = -1;

  /** @param leaving called before parcels are sent, between other messages */
  constructor(bus: ClusterBus, factLog: FactLog, outbox: MessageOutbox, leaving: () => void) {
    this.#bus = bus;
    this.#leaving = leaving;
    this.#factLog = factLog;
    this.#outbox = outbox;
    this.#origins = [{ store: globalThis.crypto.randomUUID(), run: outbox.run }];
  }

  /** Origins of parcel numbers; this process first. */
  get origins(): readonly Origin[] {
    return this.#origins;
  }

  /** @param identity name of the store; undefined: it gets one now */
  begin(identity: string | undefined): void {
    const store = identity ?? globalThis.crypto.randomUUID();
    this.#origins = [{ store, run: this.#outbox.run }];
    if (identity === undefined) this.#factLog.record({ op: "putIdentity", identity: store }, undefined);
  }

  /**
   * A message whose facts are all recorded in this turn. The exchange's client is acknowledged by the waiter of the
   * parcel.
   */
  send(message: Message, sends: readonly Send[], { session, packetId }: Exchange): Parcel {
    // A client whose session ends with this process does not use its packet identifier again.
    const isStored = packetId === 0 || session?.facts !== undefined;
    const targets = isStored ? sends.map(targetOf) : [];
    const clientId = session?.clientId ?? "";
    const number = this.#outbox.put(message, isStored ? { clientId, packetId, targets } : undefined);
    const parcel = new OutboxParcel(message, this.#origins[0] as Origin, number, this.#outbox, isStored);
    parcel.waiting = sends.length;
    this.#depart(parcel, sends);
    return parcel;
  }

  /** A parcel of an earlier process: it is durable. */
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

  /** Sends it, and what was to be sent before it. */
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
    // The waiter is called first: that the entry is settled is nothing to wait for.
    super.settle(sequence, count, result);
    if (this.waiting === 0) this.#outbox.settle(this.number, this.#isStored);
  }
}

function targetOf([peer, { plain, groups, retainedAt, homes }]: Send): OutboxTarget {
  return { kind: "member", member: peer.id, plain, groups: groups ?? [], retainedAt, homes: homes ?? [] };
}
