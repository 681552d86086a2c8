import { ReasonCode } from "@wrenmq/codec";
import { isAllowed, type Verdict } from "@wrenmq/protocol";
import { describe, expect, test } from "vitest";
import { compileHooks, type Decision, type Hooks, type Identity, type MaybePromise } from "../src/index.ts";
import { testClient } from "../src/testing/index.ts";
import { recorder } from "./recorder.ts";

const client = testClient();
const yes = true;
const no = false;
const none = undefined;

function authorizeWith(...answers: (() => MaybePromise<Decision>)[]) {
  const plugins = answers.map((answer, index) => ({ name: `p${index}`, hooks: { authorize: answer } satisfies Hooks }));
  return compileHooks(plugins, recorder());
}
function authenticateWith(...answers: (() => MaybePromise<boolean | Identity | undefined>)[]) {
  const plugins = answers.map((answer, index) => ({
    name: `p${index}`,
    hooks: { authenticate: answer } satisfies Hooks,
  }));
  return compileHooks(plugins, recorder());
}

/** Every combination of three opinions, and what the rule makes of it. */
const opinions = [yes, no, none];
const combinations = opinions.flatMap((a) => opinions.flatMap((b) => opinions.map((c) => [a, b, c] as const)));
const expected = (answers: readonly (boolean | undefined)[]) => answers.includes(true) && !answers.includes(false);

describe("no opinion is ignored, any refusal denies, at least one yes is needed", () => {
  test.each(combinations)("%s, %s, %s", async (...answers) => {
    for (const late of [[], [0], [1], [2], [0, 1, 2]]) {
      const hooks = answers.map((answer, index) => () => (late.includes(index) ? Promise.resolve(answer) : answer));
      const authorized = authorizeWith(...hooks).authorize?.(client, "publish", "a");
      if (late.length === 0) expect(authorized).not.toBeInstanceOf(Promise);
      expect(isAllowed((await authorized) as Verdict)).toBe(expected(answers));
      const authenticated = authenticateWith(...hooks).authenticate(client, undefined);
      if (late.length === 0) expect(authenticated).not.toBeInstanceOf(Promise);
      expect(isAllowed(await authenticated)).toBe(expected(answers));
    }
  });

  test("nobody configured: nobody may enter, and topics are nobody's business", () => {
    const chain = compileHooks([], recorder());
    expect(chain.authenticate(client, undefined)).toMatchObject({ reasonCode: ReasonCode.NotAuthorized });
    expect((chain.authenticate(client, undefined) as Identity).rule).toMatch(/nobody may enter/);
    expect(chain.authorize).toBeUndefined();
    expect(chain.authorizeConnect).toBeUndefined();
    expect(chain.publish).toBeUndefined();
    expect(Object.values(chain.observe).every((observer) => observer === undefined)).toBe(true);
  });

  test("all abstain: denied because no rule allows it", () => {
    expect(authorizeWith(() => none).authorize?.(client, "publish", "a")).toEqual({
      reasonCode: ReasonCode.NotAuthorized,
      rule: "no rule allows it",
    });
  });
});

describe("rules carry the plugin's name", () => {
  const allow = { reasonCode: ReasonCode.Success, rule: "acl:3" };
  const deny = { reasonCode: ReasonCode.NotAuthorized, rule: "acl:4", reasonString: "no" };

  test("of the refusal", () => {
    expect(
      authorizeWith(
        () => allow,
        () => deny,
      ).authorize?.(client, "publish", "a"),
    ).toEqual({
      ...deny,
      rule: "p1: acl:4",
    });
  });

  test("of the first yes", () => {
    expect(
      authorizeWith(
        () => none,
        () => allow,
        () => yes,
      ).authorize?.(client, "publish", "a"),
    ).toEqual({
      ...allow,
      rule: "p1: acl:3",
    });
    expect(authorizeWith(() => yes).authorize?.(client, "publish", "a")).toEqual({ reasonCode: 0, rule: "p0" });
  });

  test("explain gives every opinion", async () => {
    const chain = authorizeWith(
      () => none,
      () => allow,
      async () => deny,
      () => yes,
    );
    expect(await chain.explain?.(client, "publish", "a")).toEqual([
      { plugin: "p0", decision: "abstain", rule: undefined },
      { plugin: "p1", decision: "allow", rule: "acl:3" },
      { plugin: "p2", decision: "deny", rule: "acl:4" },
      { plugin: "p3", decision: "allow", rule: undefined },
    ]);
  });
});

describe("authenticate", () => {
  test("everybody is asked, also after a refusal", () => {
    const asked: string[] = [];
    const ask = (name: string, answer: boolean) => () => {
      asked.push(name);
      return answer;
    };
    void authenticateWith(ask("a", no), ask("b", yes)).authenticate(client, undefined);
    expect(asked).toEqual(["a", "b"]);
  });

  test("identities are merged: first name, earliest end, all attributes", () => {
    const merged = authenticateWith(
      () => ({ reasonCode: 0, expiresAt: 500, attributes: { a: 1 } }),
      () => yes,
      () => ({ reasonCode: 0, username: "u", expiresAt: 300, attributes: { b: 2 } }),
      () => ({ reasonCode: 0, username: "other" }),
    ).authenticate(client, undefined);
    expect(merged).toMatchObject({ username: "u", expiresAt: 300, attributes: { a: 1, b: 2 }, rule: "p0" });
  });
});

describe("authorizeConnect only denies", () => {
  test.each([
    [[none], true],
    [[yes, none], true],
    [[yes, no], false],
  ] as const)("%j → %s", async (answers, allowed) => {
    for (const late of [false, true]) {
      const chain = compileHooks(
        answers.map((answer) => ({
          name: "p",
          hooks: { authorizeConnect: () => (late ? Promise.resolve(answer) : answer) },
        })),
        recorder(),
      );
      expect(isAllowed((await chain.authorizeConnect?.(client)) as Verdict)).toBe(allowed);
    }
  });
});

test("a client is anonymous only when everybody who lets it in says so", () => {
  const anonymous: Identity = { reasonCode: 0, attributes: { anonymous: true } };
  const anonymousToo: Identity = { reasonCode: 0, attributes: { anonymous: true, seen: 1 } };
  const named: Identity = { reasonCode: 0, username: "bob" };
  const outcome = (...answers: Identity[]) =>
    authenticateWith(...answers.map((answer) => () => answer)).authenticate(client, undefined) as Identity;
  expect(outcome(anonymous).attributes).toEqual({ anonymous: true });
  expect(outcome(anonymous, anonymousToo).attributes).toEqual({ anonymous: true, seen: 1 });
  expect(outcome(anonymous, named)).toMatchObject({ username: "bob", attributes: {} });
  expect(outcome(named, anonymous, anonymousToo).attributes).not.toHaveProperty("anonymous");
});
