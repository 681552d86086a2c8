// What waits for a member of a cluster that closes its link, is away, comes back, or is gone: every message is answered
// once, whoever shares a batch with it.
import { Arena, Message, NEVER, TopicTable } from "@wrenmq/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ForwardBatch, ForwardResult, type ForwardTarget, type LocalNode } from "../src/index.ts";
import type { MeshLink } from "../src/mesh-link.ts";
import { MeshPeer } from "../src/mesh-peer.ts";

const PLAIN: ForwardTarget = { plain: true, groups: undefined, retainedAt: 0 };
const ARENA = new Arena(Buffer.allocUnsafeSlow(1024 * 1024));

function farPeer() {
  const topics = new TopicTable();
  const topic = topics.find("t");
  if (topic === undefined) throw new Error("no topic");
  const node: LocalNode = {
    arena: ARENA,
    topics,
    durable: false,
    origins: [],
    now: () => 0,
    at: () => () => {},
    flushLater() {},
    routesKnown() {},
    routeSet() {},
    routeRemoved() {},
    groupSet() {},
    deliver: () => ForwardResult.Nobody,
    retainedFor: () => [][Symbol.iterator](),
    chooseAgain() {},
    originsTold() {},
    problem() {},
  };
  const peer = new MeshPeer(1, node, 7);
  const answers: string[] = [];
  const names = ["nobody", "received", "refused"];
  let batch: ForwardBatch | undefined;
  let last = 0;
  let sent: number[] = [];
  const link = { forward: (_message: Message, _target: ForwardTarget, sequence: number) => sent.push(sequence) };
  return {
    peer,
    answers,
    /** As a publisher does it whose messages have this one peer. @param isAnother a publisher */
    publish(isAnother: boolean): void {
      if (batch?.isOpen !== true || isAnother) {
        const own = new ForwardBatch(
          {
            batchSettled: (_batch, from, count, result) => {
              for (const id of own.packetIds.slice(from, from + count)) answers.push(`${id} ${names[result]}`);
            },
          },
          true,
        );
        batch = own;
      }
      const content = { payload: new Uint8Array(1), qos: 1, retain: false, properties: undefined } as const;
      peer.forward(Message.of(topic, { ...content, expiresAt: NEVER, publisher: "p" }), PLAIN, batch);
      last++;
      batch.packetIds.push(last);
    },
    connect(): void {
      sent = [];
      peer.linked(link as unknown as MeshLink, false);
      peer.routesEnded();
    },
    lose: (): void => peer.lost(),
    answer(count: number): void {
      const answered = sent.splice(0, count);
      if (answered.length > 0) peer.answered(answered[0] as number, answered.length, ForwardResult.Received);
    },
    get published() {
      return last;
    },
  };
}

test("what was sent over a link that is closed is answered when it is known what has become of the member", () => {
  const { peer, publish, connect, lose, answers } = farPeer();
  connect();
  publish(false);
  publish(false);
  lose();
  publish(false);
  expect(answers).toEqual([]);
  peer.gone();
  expect(answers.toSorted()).toEqual(["1 nobody", "2 nobody", "3 nobody"]);
});

test("messages of one batch that were held are all answered when the member is gone", () => {
  const { peer, publish, answers } = farPeer();
  for (let count = 0; count < 5; count++) publish(false);
  peer.gone();
  expect(answers.toSorted()).toEqual([1, 2, 3, 4, 5].map((id) => `${id} nobody`));
});

test("a link that is made again: what the old one carried is refused, what was held is sent", () => {
  const { publish, connect, lose, answer, answers } = farPeer();
  connect();
  publish(false);
  lose();
  publish(false);
  connect();
  expect(answers).toEqual(["1 refused"]);
  answer(1);
  expect(answers).toEqual(["1 refused", "2 received"]);
});

test("every message is answered once, whatever happens", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("publish" as const), isAnother: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("answer" as const), count: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("connect" as const, "lose" as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, isGone) => {
      const far = farPeer();
      for (const one of steps) {
        if (one.kind === "publish") far.publish(one.isAnother);
        else if (one.kind === "answer" && far.peer.up) far.answer(one.count);
        else if (one.kind === "connect" && !far.peer.up) far.connect();
        else if (one.kind === "lose" && far.peer.up) far.lose();
      }
      if (isGone) far.peer.gone();
      else {
        far.peer.close();
        far.lose();
        far.peer.gone();
      }
      const ids = far.answers.map((answer) => Number(answer.split(" ")[0])).toSorted((one, other) => one - other);
      expect(ids).toEqual(Array.from({ length: far.published }, (_, index) => index + 1));
    }),
    { numRuns: 500 },
  );
});
