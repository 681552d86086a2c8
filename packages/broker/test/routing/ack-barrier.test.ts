import { ForwardBatch, ForwardResult, ForwardTicket } from "@wrenmq/cluster";
import { ReasonCode } from "@wrenmq/codec";
import type { Session } from "@wrenmq/protocol";
import { StoreError } from "@wrenmq/store";
import { describe, expect, test } from "vitest";
import type { FactLog } from "../../src/persistence/fact-log.ts";
import { AckBarrier } from "../../src/routing/ack-barrier.ts";
import { PublishWaits } from "../../src/routing/publish-waits.ts";

const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A session that holds publishers until the test lets them go. */
class HeldSession {
  congestedSince: number | undefined = 1;
  #callbacks: (() => void)[] = [];

  whenRelieved(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  relieve(): void {
    this.congestedSince = undefined;
    for (const callback of this.#callbacks.splice(0)) callback();
  }

  get asSession(): Session {
    return this as unknown as Session;
  }
}

/** A log whose facts are durable when the test says so. */
class HeldLog {
  isSettled = false;
  #durable: ((error: StoreError | undefined) => void)[] = [];
  #recovered: (() => void)[] = [];

  whenDurable(callback: (error: StoreError | undefined) => void): void {
    this.#durable.push(callback);
  }

  whenRecovered(callback: () => void): void {
    this.#recovered.push(callback);
  }

  settle(error?: StoreError): void {
    this.isSettled = error === undefined;
    for (const callback of this.#durable.splice(0)) callback(error);
  }

  recover(): void {
    this.isSettled = true;
    for (const callback of this.#recovered.splice(0)) callback();
  }

  get asFactLog(): FactLog {
    return this as unknown as FactLog;
  }
}

class Receiver {
  readonly acknowledged: [id: number, reasonCode: number][] = [];
  readonly held = new Set<number>();

  acknowledge(ids: readonly number[], reasonCode: number): void {
    for (const id of ids) this.acknowledged.push([id, reasonCode]);
  }

  isHeld(id: number): boolean {
    return this.held.has(id);
  }
}

const STEPS = ["authorization", "queues", "peers", "durability"] as const;
type Step = (typeof STEPS)[number];
const COMBINATIONS: readonly (readonly Step[])[] = Array.from({ length: 2 ** STEPS.length }, (_, bits) =>
  STEPS.filter((_step, index) => (bits & (1 << index)) !== 0),
);
const AUTHORIZES = { none: 0, one: 1, "one and its session is congested": 2 } as const;

describe("what an acknowledgement waits for", () => {
  const rows = COMBINATIONS.flatMap((steps) =>
    [1, 2].filter((count) => count === 1 || steps.includes("queues")).map((queues) => ({ steps, queues })),
  );

  test.each(rows.map((row) => [row.steps.join(", ") || "nothing", row.queues, row] as const))(
    "%s (queues: %i): each in its order, and not a step less",
    async (_name, _queues, { steps, queues }) => {
      const log = new HeldLog();
      const barrier = new AckBarrier(log.asFactLog);
      const waits = new PublishWaits();
      const receiver = new Receiver();
      let allow: (session: Session | undefined) => void = () => {};
      const sessions = Array.from({ length: queues }, () => new HeldSession());
      const ticket = new ForwardTicket();
      if (steps.includes("authorization")) waits.authorizes(new Promise((resolve) => (allow = resolve)));
      if (steps.includes("queues")) for (const session of sessions) waits.delivered(session.asSession, 3);
      if (steps.includes("peers")) {
        ticket.expect();
        waits.forwardedTo(ticket);
      }
      if (steps.includes("durability")) waits.factRecorded();
      else log.isSettled = true;

      expect(barrier.isOpen(waits)).toBe(steps.length === 0);
      if (steps.length === 0) return;
      barrier.wait(waits, ReasonCode.Success, receiver, 7);
      // The caller uses it for its next message.
      waits.clear();
      const release: Record<Step, () => void> = {
        authorization: () => allow(undefined),
        queues: () => {},
        peers: () => ticket.settle(0, 1, ForwardResult.Received),
        durability: () => log.settle(),
      };
      for (const step of STEPS.filter((one) => steps.includes(one))) {
        await turns();
        expect(receiver.acknowledged).toEqual([]);
        if (step === "queues") {
          for (const session of sessions) {
            expect(receiver.acknowledged).toEqual([]);
            session.relieve();
            await turns();
          }
        } else release[step]();
      }
      await turns();
      expect(receiver.acknowledged).toEqual([[7, ReasonCode.Success]]);
    },
  );

  test("a queue that became congested while a plugin was asked is waited for; one that was relieved meanwhile is not", async () => {
    for (const [name, count] of Object.entries(AUTHORIZES)) {
      const barrier = new AckBarrier(undefined);
      const waits = new PublishWaits();
      const receiver = new Receiver();
      const earlier = new HeldSession();
      const later = new HeldSession();
      waits.delivered(earlier.asSession, 2);
      if (count > 0) waits.authorizes(Promise.resolve(count === 2 ? later.asSession : undefined));
      barrier.wait(waits, ReasonCode.Success, receiver, 1);
      earlier.relieve();
      await turns();
      expect(receiver.acknowledged, name).toEqual(count === 2 ? [] : [[1, 0]]);
      later.relieve();
      expect(receiver.acknowledged, name).toEqual([[1, 0]]);
    }
  });

  const results = [
    { name: "a peer has somebody", result: ForwardResult.Received, peersOnly: true, code: 0 },
    { name: "nobody is there, here neither", result: ForwardResult.Nobody, peersOnly: true, code: 0x10 },
    { name: "nobody is there, but here", result: ForwardResult.Nobody, peersOnly: false, code: 0 },
    { name: "a peer has refused it", result: ForwardResult.Refused, peersOnly: false, code: 0x97 },
  ] as const;

  test.each(results)("$name: $code", ({ result, peersOnly, code }) => {
    const alone = new AckBarrier(undefined);
    const receiver = new Receiver();
    const waits = new PublishWaits();
    const ticket = new ForwardTicket();
    ticket.peersOnly = peersOnly;
    ticket.expect();
    waits.forwardedTo(ticket);
    alone.wait(waits, ReasonCode.Success, receiver, 3);
    ticket.settle(0, 1, result);
    expect(receiver.acknowledged).toEqual([[3, code]]);
  });

  test.each(results)("in a batch, $name: $code", ({ result, peersOnly, code }) => {
    const receiver = new Receiver();
    const barrier = new AckBarrier(undefined);
    const batch = new ForwardBatch(
      { batchSettled: (run, from, count, given) => barrier.batchSettled(run, from, count, given, receiver) },
      peersOnly,
    );
    const waits = new PublishWaits();
    for (const id of [4, 5, 6]) {
      waits.clear();
      batch.sent(100 + id);
      waits.forwardedTo(batch);
      barrier.wait(waits, ReasonCode.Success, receiver, id);
    }
    batch.settle(105, 2, result);
    expect(receiver.acknowledged).toEqual([
      [5, code],
      [6, code],
    ]);
  });

  test("a store that refuses: what the sender may send again is refused, what is held waits until the store is well", () => {
    const log = new HeldLog();
    const barrier = new AckBarrier(log.asFactLog);
    const receiver = new Receiver();
    receiver.held.add(2);
    const waits = new PublishWaits();
    for (const id of [1, 2]) {
      waits.clear();
      waits.factRecorded();
      barrier.wait(waits, ReasonCode.Success, receiver, id);
    }
    log.settle(new StoreError("ERR_STORE_FULL", "full"));
    expect(receiver.acknowledged).toEqual([[1, 0x97]]);
    log.recover();
    expect(receiver.acknowledged).toEqual([
      [1, 0x97],
      [2, 0],
    ]);
  });
});
