import { type Identity, isAllowed } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { describe, expect, test } from "vitest";
import { type AuthAnonymousOptions, authAnonymous } from "../src/index.ts";

async function enter(username: string | undefined, given?: AuthAnonymousOptions): Promise<Identity> {
  const host = await TestHost.start([authAnonymous(given)]);
  return host.chain.authenticate(testClient({ username }), undefined);
}

describe("allow (the default)", () => {
  test("clients with and without a name enter, as anonymous", async () => {
    for (const username of [undefined, "bob"]) {
      const identity = await enter(username);
      expect(isAllowed(identity)).toBe(true);
      expect(identity.attributes).toEqual({ anonymous: true });
    }
  });
});

describe("allow: false", () => {
  test("a client without a name is refused, a named one is left to other plugins", async () => {
    expect(await enter(undefined, { allow: false })).toMatchObject({
      reasonCode: 0x87,
      rule: expect.stringMatching(/not allowed/),
    });
    expect((await enter("", { allow: false })).rule).toMatch(/not allowed/);
    expect((await enter("bob", { allow: false })).rule).toMatch(/no plugin has an opinion/);
  });
});

describe("trustUserNames: true", () => {
  test("a name is believed, with and without allow", async () => {
    for (const allow of [true, false]) {
      const identity = await enter("bob", { allow, trustUserNames: true });
      expect(isAllowed(identity)).toBe(true);
      expect(identity.attributes).toBeUndefined();
    }
    expect((await enter(undefined, { allow: true, trustUserNames: true })).attributes).toEqual({ anonymous: true });
    expect(isAllowed(await enter(undefined, { allow: false, trustUserNames: true }))).toBe(false);
  });
});

test("wrong options are refused by name", () => {
  expect(() => authAnonymous({ allow: "yes" as unknown as boolean })).toThrow(
    'plugin "auth-anonymous": allow: expected true or false, got "yes"',
  );
});
