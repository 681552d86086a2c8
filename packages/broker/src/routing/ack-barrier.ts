// Decides when a PUBACK, a PUBREC, or the answer to a peer is sent. It waits for asynchronous authorization, queues
// over their bound, peers, durability. In that order. Every wait ends: plugins have a time limit, a session holds
// publishers for `backpressureTimeout` at most, and the bus gives up a peer that does not answer.
import { ForwardBatch, ForwardResult, type ForwardTicket, Parcel } from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { Session } from "@wrenmq/protocol";
import type { FactLog } from "../persistence/fact-log.ts";
import type { PublishWaits } from "./publish-waits.ts";

/** The sender of the message: a client (`id` is its packet identifier) or a peer (`id` is its sequence number). */
export interface AckReceiver {
  acknowledge(ids: readonly number[], reasonCode: ReasonCode): void;
  /** Is the message of QoS 2 and taken already, so that it must not be refused? */
  isHeld(id: number): boolean;
}

interface WaitingAck {
  readonly receiver: AckReceiver;
  readonly id: number;
  readonly outcome: ReasonCode;
  readonly ticket: ForwardTicket | undefined;
  /** Is everything durable when the peers have answered? A parcel is sent when all facts of its message are. */
  readonly isDurable: boolean;
  /** It was refused, and its publisher has been told. */
  isRefused: boolean;
}

export class AckBarrier {
  readonly #factLog: FactLog | undefined;

  constructor(factLog: FactLog | undefined) {
    this.#factLog = factLog;
  }

  /** May the message be acknowledged at once? */
  isOpen(waits: PublishWaits): boolean {
    if (waits.isEmpty) return true;
    const { authorizations, congested, forwarded, recorded } = waits;
    if (authorizations !== undefined || congested.length > 0 || forwarded !== undefined) return false;
    return !recorded || this.#isDurable;
  }

  /** Acknowledges the message when everything in `waits` is over. `waits` is read during the call only. */
  wait(waits: PublishWaits, outcome: ReasonCode, receiver: AckReceiver, id: number): void {
    const { authorizations, forwarded } = waits;
    if (forwarded instanceof ForwardBatch) {
      // A batch is used only where there is nothing else to wait for first; `batchSettled` follows.
      forwarded.packetIds.push(id);
      return;
    }
    const isDurable = forwarded instanceof Parcel && authorizations === undefined;
    const ack: WaitingAck = { receiver, id, outcome, ticket: forwarded, isDurable, isRefused: false };
    if (forwarded !== undefined && !(forwarded instanceof Parcel)) {
      // A message that is sent again comes after later ones: the sooner its publisher is told the better.
      forwarded.whenRefused = () => {
        ack.isRefused = true;
        receiver.acknowledge([id], ReasonCode.QuotaExceeded);
      };
    }
    const congested = [...waits.congested];
    if (authorizations === undefined) this.#waitForQueues(congested, ack);
    else {
      void Promise.all(authorizations).then((sessions) => {
        for (const session of sessions) if (session !== undefined) congested.push(session);
        this.#waitForQueues(congested, ack);
      });
    }
  }

  /** A peer has answered for `count` messages of a batch, from index `from` on. */
  batchSettled(batch: ForwardBatch, from: number, count: number, result: ForwardResult, receiver: AckReceiver): void {
    const ids = batch.packetIds.slice(from, from + count);
    if (result === ForwardResult.Refused) receiver.acknowledge(ids, ReasonCode.QuotaExceeded);
    else {
      const isWanted = result === ForwardResult.Received || !batch.peersOnly;
      this.#waitForDurability(ids, isWanted ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers, receiver);
    }
  }

  #waitForQueues(congested: readonly Session[], ack: WaitingAck): void {
    let waiting = 1;
    const relieved = (): void => {
      waiting--;
      if (waiting === 0) this.#waitForPeers(ack);
    };
    for (const session of new Set(congested)) {
      // Its queue may have become shorter while plugins were awaited.
      if (session.congestedSince === undefined) continue;
      waiting++;
      session.whenRelieved(relieved);
    }
    relieved();
  }

  #waitForPeers(ack: WaitingAck): void {
    const { ticket } = ack;
    if (ack.isRefused) return;
    if (ticket === undefined) this.#waitForDurability([ack.id], ack.outcome, ack.receiver);
    else if (ticket.waiting === 0) this.#peersAnswered(ticket, ack);
    else ticket.whenSettled = () => this.#peersAnswered(ticket, ack);
  }

  #peersAnswered(
    { refused, received, peersOnly }: ForwardTicket,
    { receiver, id, outcome, isDurable, isRefused }: WaitingAck,
  ): void {
    if (isRefused) return;
    if (refused) {
      receiver.acknowledge([id], ReasonCode.QuotaExceeded);
      return;
    }
    const isNobodys = peersOnly && !received;
    const final = received ? ReasonCode.Success : isNobodys ? ReasonCode.NoMatchingSubscribers : outcome;
    if (isDurable) receiver.acknowledge([id], final);
    else this.#waitForDurability([id], final, receiver);
  }

  #waitForDurability(ids: readonly number[], outcome: ReasonCode, receiver: AckReceiver): void {
    const factLog = this.#factLog;
    if (factLog === undefined || this.#isDurable) {
      receiver.acknowledge(ids, outcome);
      return;
    }
    factLog.whenDurable((error) => {
      if (error === undefined) {
        receiver.acknowledge(ids, outcome);
        return;
      }
      // A held message is in the outbox already and will be stored when the store works again: it must not be sent
      // again.
      const held = ids.filter((id) => receiver.isHeld(id));
      const others = ids.filter((id) => !held.includes(id));
      if (others.length > 0) receiver.acknowledge(others, ReasonCode.QuotaExceeded);
      if (held.length > 0) factLog.whenRecovered(() => this.#waitForDurability(held, outcome, receiver));
    });
  }

  get #isDurable(): boolean {
    return this.#factLog?.isSettled !== false;
  }
}
