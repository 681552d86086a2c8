import { ReasonCode } from "@wrenmq/codec";
import type { StoredMessage, Verdict } from "@wrenmq/protocol";
import { describe, expect, test, vi } from "vitest";
import { type Attempt, type AuthenticationStep, compileHooks, type Hooks, type PluginMessage } from "../src/index.ts";
import { testClient } from "../src/testing/index.ts";
import { recorder } from "./recorder.ts";

const client = testClient();
const message: PluginMessage = {
  topic: "a",
  payload: new Uint8Array(),
  qos: 0,
  retain: false,
  properties: undefined,
  publisher: "client",
} satisfies Partial<StoredMessage>;
const boom = () => {
  throw new Error("boom");
};
const boomLater = () => Promise.reject(new Error("boom"));
const never = () => new Promise<never>(() => {});

function chainOf(hooks: Hooks) {
  const options = recorder();
  return { chain: compileHooks([{ name: "bad", hooks }], options), ...options };
}

describe("a hook that fails is a refusal, is logged and is counted", () => {
  for (const [how, hook] of [
    ["throws", boom],
    ["rejects", boomLater],
    ["never answers", never],
  ] as const) {
    test(`authenticate ${how}: 0x88`, async () => {
      const { chain, failures, timers, logged } = chainOf({ authenticate: hook });
      const answer = chain.authenticate(client, undefined);
      timers.advance(10_000);
      expect(await answer).toMatchObject({
        reasonCode: ReasonCode.ServerUnavailable,
        rule: expect.stringMatching(/^bad: /),
      });
      expect(failures).toMatchObject([{ plugin: "bad", hook: "authenticate" }]);
      expect(logged).toHaveLength(1);
      expect(timers.pending).toBe(0);
    });

    test(`authorize ${how}: 0x87`, async () => {
      const { chain, failures, timers } = chainOf({ authorize: hook });
      const answer = chain.authorize?.(client, "publish", "a");
      timers.advance(10_000);
      expect(await answer).toMatchObject({ reasonCode: ReasonCode.NotAuthorized });
      expect(failures).toHaveLength(1);
    });

    test(`authorizeConnect ${how}: 0x88`, async () => {
      const { chain, timers } = chainOf({ authorizeConnect: hook });
      const answer = chain.authorizeConnect?.(client);
      timers.advance(10_000);
      expect(await answer).toMatchObject({ reasonCode: ReasonCode.ServerUnavailable });
    });

    test(`publish ${how}: 0x87`, async () => {
      const { chain, timers } = chainOf({ publish: hook });
      const answer = chain.publish?.(client, message);
      timers.advance(10_000);
      expect(await answer).toMatchObject({ reasonCode: ReasonCode.NotAuthorized });
    });

    test(`an authentication exchange ${how}: failure`, async () => {
      const { chain, timers } = chainOf({ authenticationMethods: { M: () => ({ next: hook }) } });
      const answer = chain.authenticationMethods.get("M")?.(client).next(undefined);
      timers.advance(10_000);
      expect(await answer).toEqual({ status: "failure", reasonCode: ReasonCode.NotAuthorized });
    });
  }

  test("an authentication method whose start throws", () => {
    const { chain } = chainOf({ authenticationMethods: { M: boom } });
    expect(chain.authenticationMethods.get("M")?.(client).next(undefined)).toMatchObject({ status: "failure" });
  });

  test("what answers in time is not counted, and a late rejection is not reported twice", async () => {
    let reject: (error: Error) => void = () => {};
    const { chain, failures, timers } = chainOf({ authorize: () => new Promise((_resolve, fail) => (reject = fail)) });
    const answer = chain.authorize?.(client, "publish", "a");
    timers.advance(10_000);
    reject(new Error("late"));
    await answer;
    expect(failures).toMatchObject([{ error: { code: "ERR_PLUGIN_TIMEOUT" } }]);
  });
});

describe("an attempt to authenticate", () => {
  /** A hook whose parts are in the hands of the test. */
  function attempting() {
    let attempt: Attempt | undefined;
    let answer: (value: boolean) => void = () => {};
    let fail: (error: Error) => void = () => {};
    const authenticate: Hooks["authenticate"] = (_client, _password, given) => {
      attempt = given;
      return new Promise<boolean>((resolve, reject) => {
        answer = resolve;
        fail = reject;
      });
    };
    const parts = () => ({ attempt: attempt as Attempt, answer, fail });
    return { ...chainOf({ authenticate }), parts };
  }

  test("that waits for its turn is not too late, however long it waits", async () => {
    const { chain, timers, failures, parts } = attempting();
    const identity = chain.authenticate(client, undefined);
    const begin = parts().attempt.wait();
    timers.advance(3_600_000);
    expect(parts().attempt.signal.aborted).toBe(false);
    begin();
    timers.advance(9_999);
    parts().answer(true);
    expect(await identity).toMatchObject({ reasonCode: 0 });
    expect(failures).toEqual([]);
    expect(timers.pending).toBe(0);
  });

  test("may begin to wait before it has answered with a promise", async () => {
    const options = recorder();
    const hook: Hooks["authenticate"] = (_client, _password, attempt) => {
      attempt.wait();
      return never();
    };
    const chain = compileHooks([{ name: "slow", hooks: { authenticate: hook } }], options);
    void chain.authenticate(client, undefined);
    options.timers.advance(100_000);
    expect(options.failures).toEqual([]);
  });

  test("has the whole time limit from when its work begins, and is told when that is over", async () => {
    const { chain, timers, failures, parts } = attempting();
    const identity = chain.authenticate(client, undefined);
    timers.advance(9_000);
    const begin = parts().attempt.wait();
    begin();
    begin();
    timers.advance(9_999);
    expect(parts().attempt.signal.aborted).toBe(false);
    timers.advance(1);
    expect(parts().attempt.signal.aborted).toBe(true);
    expect(await identity).toMatchObject({ reasonCode: ReasonCode.ServerUnavailable });
    parts().fail(new Error("abandoned"));
    await Promise.resolve();
    expect(failures).toMatchObject([{ error: { code: "ERR_PLUGIN_TIMEOUT" } }]);
  });

  test("of a client that has gone is abandoned, which is no failure of the plugin", async () => {
    const { chain, timers, failures, parts } = attempting();
    let gone = () => {};
    const identity = chain.authenticate(client, undefined, (listener) => {
      gone = listener;
    });
    let aborted = 0;
    parts().attempt.signal.addEventListener("abort", () => {
      aborted++;
      parts().fail(new Error("abandoned"));
    });
    gone();
    gone();
    expect(await identity).toMatchObject({ reasonCode: ReasonCode.ServerUnavailable });
    expect(aborted).toBe(1);
    expect(failures).toEqual([]);
    expect(timers.pending).toBe(0);
    expect(parts().attempt.signal.aborted).toBe(true);
  });
});

describe("observers", () => {
  test("one that throws or rejects does not keep the others from seeing the event", async () => {
    const seen: string[] = [];
    const options = recorder();
    const chain = compileHooks(
      [
        { name: "a", hooks: { connected: boom } },
        { name: "b", hooks: { connected: boomLater as () => void } },
        { name: "c", hooks: { connected: (who) => void seen.push(who.clientId) } },
      ],
      options,
    );
    chain.observe.connected?.(client);
    expect(seen).toEqual(["client"]);
    await vi.waitFor(() => expect(options.failures.map(({ plugin }) => plugin)).toEqual(["a", "b"]));
  });

  test("hooks may be methods that use this", () => {
    class Counter {
      count = 0;
      connected(): void {
        this.count++;
      }
    }
    const counter = new Counter();
    compileHooks([{ name: "c", hooks: counter }], recorder()).observe.connected?.(client);
    expect(counter.count).toBe(1);
  });
});

describe("transform hooks", () => {
  const add = (letter: string) => (_client: unknown, given: PluginMessage) => ({
    ...given,
    topic: given.topic + letter,
  });
  const addLater = (letter: string) => async (_client: unknown, given: PluginMessage) => add(letter)(_client, given);
  const run = (...hooks: NonNullable<Hooks["publish"]>[]) =>
    compileHooks(
      hooks.map((publish, index) => ({ name: `p${index}`, hooks: { publish } })),
      recorder(),
    ).publish?.(client, message);

  test("run in order, each on what the one before made", () => {
    expect(run(add("b"), () => undefined, add("c"))).toMatchObject({ topic: "abc" });
  });
  test("a promise among them keeps the order", async () => {
    expect(await run(add("b"), addLater("c"), add("d"), addLater("e"))).toMatchObject({ topic: "abcde" });
  });
  test("a refusal ends it and is signed", async () => {
    const refuse = (): Verdict => ({ reasonCode: ReasonCode.QuotaExceeded, rule: "full" });
    let later = 0;
    const count = () => {
      later++;
      return undefined;
    };
    expect(run(add("b"), refuse, count)).toEqual({ reasonCode: ReasonCode.QuotaExceeded, rule: "p1: full" });
    expect(await run(async () => refuse(), count)).toMatchObject({ rule: "p0: full" });
    expect(later).toBe(0);
  });
  test("an allowing verdict leaves the message as it is", async () => {
    expect(run(() => ({ reasonCode: 0 }), add("b"))).toMatchObject({ topic: "ab" });
    expect(await run(async () => ({ reasonCode: 0 }) as const, add("b"))).toMatchObject({ topic: "ab" });
  });
});

test("two plugins with one authentication method cannot start", () => {
  const hooks: Hooks = {
    authenticationMethods: { M: () => ({ next: (): AuthenticationStep => ({ status: "failure" }) }) },
  };
  expect(() =>
    compileHooks(
      [
        { name: "a", hooks },
        { name: "b", hooks },
      ],
      recorder(),
    ),
  ).toThrowError(expect.objectContaining({ code: "ERR_PLUGIN_START" }));
});

describe("the time of answers", () => {
  function timed(hooks: Hooks) {
    const told: string[] = [];
    const options = {
      ...recorder(),
      onPromise: (plugin: string, hook: string) => {
        told.push(`${plugin} ${hook} begins`);
        return () => void told.push("ends");
      },
    };
    return { chain: compileHooks([{ name: "p", hooks }], options), told, timers: options.timers };
  }

  test("is told for promises, once each, when they settle", async () => {
    const { chain, told } = timed({ authenticate: async () => true, authorize: boomLater });
    await chain.authenticate(client, undefined);
    await chain.authorize?.(client, "publish", "a");
    expect(told).toEqual(["p authenticate begins", "ends", "p authorize begins", "ends"]);
  });

  test("ends with the time limit", async () => {
    let answer: (value: boolean) => void = () => {};
    const { chain, told, timers } = timed({ authenticate: () => new Promise((resolve) => (answer = resolve)) });
    const verdict = chain.authenticate(client, undefined);
    timers.advance(10_000);
    await verdict;
    expect(told).toEqual(["p authenticate begins", "ends"]);
    answer(true);
    await Promise.resolve();
    expect(told).toHaveLength(2);
  });

  test("is told of nothing that is answered at once", async () => {
    const { chain, told } = timed({ authenticate: () => true, authorize: () => true });
    await chain.authenticate(client, undefined);
    await chain.authorize?.(client, "publish", "a");
    expect(told).toEqual([]);
  });
});
