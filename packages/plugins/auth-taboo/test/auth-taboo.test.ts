import { isAllowed, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { expect, test } from "vitest";
import { type AuthTabooOptions, authTaboo } from "../src/index.ts";

async function start(given?: AuthTabooOptions) {
  const host = await TestHost.start([authTaboo(given)]);
  return (username: string | undefined, topic: string) =>
    (["publish", "subscribe", "receive"] as const).map((action) =>
      isAllowed(host.chain.authorize?.(testClient({ username }), action, topic) as Verdict),
    );
}
const all = [true, true, true];
const none = [false, false, false];

test("the topics of the original are taboo to all but admin", async () => {
  const may = await start();
  for (const topic of ["prohibited", "top-secret", "data/classified"]) {
    expect(may("someone", topic)).toEqual(none);
    expect(may(undefined, topic)).toEqual(none);
    expect(may("admin", topic)).toEqual(all);
  }
  expect(may("someone", "data/memes")).toEqual(all);
});

test("topics and the exempt users can be chosen; sharing a subscription does not help", async () => {
  const may = await start({ topics: ["x"], exempt: ["root"] });
  expect(may("admin", "x")).toEqual(none);
  expect(may("admin", "$share/g/x")).toEqual(none);
  expect(may("root", "x")).toEqual(all);
  expect(may("admin", "prohibited")).toEqual(all);
});

test("a wildcard subscription does not bring them: receiving is refused", async () => {
  const host = await TestHost.start([authTaboo()]);
  expect(host.chain.authorize?.(testClient(), "receive", "prohibited")).toEqual({
    reasonCode: 0x87,
    rule: "auth-taboo: prohibited is taboo",
  });
});
