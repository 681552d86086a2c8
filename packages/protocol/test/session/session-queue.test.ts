import fc from "fast-check";
import { expect, test } from "vitest";
import { Delivery, SessionQueue, TopicTable } from "../../src/index.ts";
import { message } from "../support/messages.ts";

const topics = new TopicTable();
const delivery = (seq: number): Delivery =>
  new Delivery(message(topics, "a/b", "x".repeat(seq % 9), { qos: 1 }), 1, false, undefined, seq);

const steps = fc.array(
  fc.oneof({ weight: 3, arbitrary: fc.constant("push") }, { weight: 2, arbitrary: fc.constant("shift") }),
  { maxLength: 400 },
);

test("first in, first out, with the bytes of what is in it", () => {
  fc.assert(
    fc.property(steps, (commands) => {
      const queue = new SessionQueue();
      const naive: Delivery[] = [];
      /** What each made the queue heavier by. */
      const weights = new Map<Delivery, number>();
      let seq = 0;
      for (const step of commands) {
        if (step === "push") {
          const one = delivery(++seq);
          const before = queue.bytes;
          queue.push(one);
          naive.push(one);
          weights.set(one, queue.bytes - before);
          expect(queue.bytes - before).toBeGreaterThan(one.message.topic.length + one.message.payloadLength);
        } else {
          expect(queue.peek()).toBe(naive[0]);
          expect(queue.shift()).toBe(naive.shift());
        }
        expect(queue.length).toBe(naive.length);
        expect(queue.bytes).toBe(naive.reduce((sum, one) => sum + (weights.get(one) ?? 0), 0));
      }
    }),
  );
});

test("what is beyond a page lies in the store alone and comes back in order", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(30), steps, (pageSize, stored, commands) => {
      const store: Delivery[] = [];
      const queue = new SessionQueue(
        (after, limit) => store.filter(({ seq }) => seq > after).slice(0, limit),
        pageSize,
      );
      let seq = 0;
      for (let index = 0; index < stored; index++) store.push(delivery(++seq));
      queue.restore(stored, 1);
      for (const step of commands) {
        if (step === "push") {
          const one = delivery(++seq);
          store.push(one);
          queue.push(one);
        } else {
          expect(queue.shift()).toBe(store.shift());
        }
        expect(queue.length).toBe(store.length);
        expect(queue.resident).toBeLessThanOrEqual(2 * pageSize);
      }
      while (store.length > 0) expect(queue.shift()).toBe(store.shift());
      expect(queue.shift()).toBeUndefined();
      expect(queue.bytes).toBe(0);
    }),
  );
});

test("a store that cannot be read now is asked again; one that has lost its messages ends the queue", () => {
  let answer: readonly Delivery[] | undefined;
  const queue = new SessionQueue(() => answer, 2);
  queue.restore(3, 1);
  expect(queue.shift()).toBeUndefined();
  expect(queue.length).toBe(3);
  answer = [delivery(1), delivery(2)];
  expect(queue.shift()?.seq).toBe(1);
  expect(queue.shift()?.seq).toBe(2);
  answer = [];
  expect(queue.shift()).toBeUndefined();
  expect(queue.length).toBe(0);
});
