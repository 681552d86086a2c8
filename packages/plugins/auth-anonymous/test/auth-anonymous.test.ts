import { type Identity, isAllowed } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { expect, test } from "vitest";
import { type AuthAnonymousOptions, authAnonymous } from "../src/index.ts";

async function enter(username: string | undefined, given?: AuthAnonymousOptions): Promise<Identity> {
  const host = await TestHost.start([authAnonymous(given)]);
  return host.chain.authenticate(testClient({ username }), undefined);
}

test("allow (the default): clients without a name enter, marked as anonymous", async () => {
  for (const username of [undefined, ""]) {
    const identity = await enter(username);
    expect(isAllowed(identity)).toBe(true);
    expect(identity.attributes).toEqual({ anonymous: true });
  }
});

test("allow: false refuses clients without a name", async () => {
  for (const username of [undefined, ""]) {
    expect(await enter(username, { allow: false })).toMatchObject({
      reasonCode: 0x87,
      rule: "auth-anonymous: clients without a user name may not enter",
    });
  }
});

test("a client with a name is left to the other plugins, whatever allow says", async () => {
  for (const allow of [true, false]) {
    expect((await enter("bob", { allow })).rule).toMatch(/no plugin has an opinion/);
  }
});

test("namedUsers: allow believes names, as aMQTT does", async () => {
  for (const allow of [true, false]) {
    const identity = await enter("bob", { allow, namedUsers: "allow" });
    expect(isAllowed(identity)).toBe(true);
    expect(identity.attributes).toBeUndefined();
  }
});

test("wrong options are refused by name", () => {
  expect(() => authAnonymous({ allow: "yes" as unknown as boolean })).toThrow(
    'plugin "auth-anonymous": allow: expected true or false, got "yes"',
  );
});
