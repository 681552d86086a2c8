import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Action, isAllowed, type Verdict } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { topicMatches } from "@wrenmq/topics";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type AuthAclOptions, authAcl } from "../src/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Who = { username?: string; clientId?: string; attributes?: Record<string, unknown> };
async function acl(given: AuthAclOptions) {
  const host = await TestHost.start([authAcl(given)]);
  const ask = (who: Who, action: Action, topic: string) =>
    host.chain.authorize?.(testClient(who), action, topic) as Verdict;
  return { host, ask, may: (who: Who, action: Action, topic: string) => isAllowed(ask(who, action, topic)) };
}
async function file(text: string, more: Omit<AuthAclOptions, "file"> = {}) {
  const path = join(folder, "acl.txt");
  writeFileSync(path, text);
  return { ...(await acl({ file: path, ...more })), path };
}
const user = (username: string): Who => ({ username });

describe("lists", () => {
  test("the sample of the original", async () => {
    const lists = { test: ["repositories/+/master", "calendar/#", "data/memes"], anonymous: ["calendar/2025/#"] };
    const { may, ask } = await acl({ subscribe: lists });
    for (const topic of ["repositories/x/master", "calendar/#", "calendar/2025/+", "data/memes", "calendar"]) {
      expect(may(user("test"), "subscribe", topic)).toBe(true);
    }
    for (const topic of ["#", "+/#", "repositories/+/#", "data/+", "$SYS/#", "+", "repositories/master"]) {
      expect(may(user("test"), "subscribe", topic)).toBe(false);
    }
    expect(may({}, "subscribe", "calendar/2025/1")).toBe(true);
    expect(may({}, "subscribe", "calendar/#")).toBe(false);
    expect(may(user("other"), "subscribe", "calendar/2025/1")).toBe(false);
    expect(may(user("other"), "publish", "anything")).toBe(true);
    expect(ask(user("test"), "subscribe", "calendar/1").rule).toBe("auth-acl: subscribe.test[1]");
    expect(ask(user("test"), "subscribe", "x").rule).toBe("auth-acl: nothing in subscribe.test covers it");
    expect(ask(user("other"), "subscribe", "x").rule).toBe('auth-acl: the list "subscribe" has no user "other"');
    expect(ask(user("other"), "publish", "x").rule).toBe('auth-acl: there is no list "publish"');
  });

  test("each action has its own list", async () => {
    const { may } = await acl({ subscribe: { u: ["s"] }, publish: { u: ["p"] }, receive: { u: ["r/#"] } });
    expect(["s", "p", "r"].map((topic) => may(user("u"), "subscribe", topic))).toEqual([true, false, false]);
    expect(["s", "p", "r"].map((topic) => may(user("u"), "publish", topic))).toEqual([false, true, false]);
    expect(["s", "p", "r", "r/x"].map((topic) => may(user("u"), "receive", topic))).toEqual([false, false, true, true]);
  });

  test("the name admin has no special rights, nor has a name that nobody checked", async () => {
    const { may } = await acl({ publish: { boss: ["a"], anonymous: ["b"] } });
    expect(may(user("admin"), "publish", "a")).toBe(false);
    expect(may(user("boss"), "publish", "a")).toBe(true);
    const claimed = { username: "boss", attributes: { anonymous: true } };
    expect(may(claimed, "publish", "a")).toBe(false);
    expect(may(claimed, "publish", "b")).toBe(true);
  });

  test("names like __proto__ and constructor are ordinary", async () => {
    const { may } = await acl({ publish: { u: ["a"] } });
    for (const name of ["__proto__", "constructor", "toString"]) expect(may(user(name), "publish", "a")).toBe(false);
  });

  test("wrong options are named", async () => {
    await expect(acl({})).rejects.toThrow("expected at least one of subscribe, publish, receive or file");
    await expect(acl({ subscribe: { u: ["a/#/b"] } })).rejects.toThrow(
      'subscribe.u.0: expected a topic filter, got "a/#/b"',
    );
  });
});

describe("wildcards against the list", () => {
  test("“#” and “+” do not open $-topics", async () => {
    const { may } = await acl({ subscribe: { u: ["#", "+/x"] }, receive: { u: ["#"] }, publish: { u: ["#"] } });
    expect(may(user("u"), "subscribe", "#")).toBe(true);
    for (const topic of ["$SYS/#", "$SYS/broker/uptime", "$x", "$x/x", "$share/g/$SYS/#"]) {
      expect(may(user("u"), "subscribe", topic)).toBe(false);
    }
    expect(may(user("u"), "receive", "$SYS/broker/uptime")).toBe(false);
    expect(may(user("u"), "publish", "$SYS/broker/uptime")).toBe(false);
  });

  test("a shared subscription needs what a plain one needs", async () => {
    const { may } = await acl({ subscribe: { u: ["a/#"] } });
    expect(may(user("u"), "subscribe", "$share/g/a/b")).toBe(true);
    expect(may(user("u"), "subscribe", "$share/g/#")).toBe(false);
    expect(may(user("u"), "subscribe", "$share/a/#")).toBe(false);
    expect(may(user("u"), "subscribe", "$share/g")).toBe(false);
  });

  test("no subscription brings a topic that could not be subscribed to by itself", async () => {
    const words = ["a", "b", "+", "#", "$s"];
    const filters = words.flatMap((one) => [one, ...words.flatMap((two) => (one === "#" ? [] : [`${one}/${two}`]))]);
    const plain = ["a", "b", "$s"];
    const topics = plain.flatMap((one) => [one, ...plain.map((two) => `${one}/${two}`), `${one}/a/b`]);
    for (const allowed of filters) {
      const { may } = await acl({ subscribe: { u: [allowed] } });
      for (const requested of filters) {
        if (!may(user("u"), "subscribe", requested)) continue;
        const revealed = topics.filter((topic) => topicMatches(requested, topic));
        expect(revealed.filter((topic) => !may(user("u"), "subscribe", topic))).toEqual([]);
      }
    }
  });
});

describe("Mosquitto's file", () => {
  const SAMPLE = `# for clients without a user name
topic read public/#

user alice
topic readwrite home/#
topic deny home/safe
topic write log/alice
topic both words here

pattern read all/+
pattern write dev/%c/up
pattern users/%u/#
pattern deny all/secret
`;
  test("rules for one user, for clients without, and for everybody", async () => {
    const { may, ask } = await file(SAMPLE);
    expect(may({}, "receive", "public/x")).toBe(true);
    expect(may({}, "publish", "public/x")).toBe(false);
    expect(may(user("alice"), "receive", "public/x")).toBe(false);
    expect(may(user("alice"), "publish", "home/x")).toBe(true);
    expect(may(user("alice"), "publish", "log/alice")).toBe(true);
    expect(may(user("alice"), "receive", "log/alice")).toBe(false);
    expect(may(user("alice"), "receive", "both words here")).toBe(true);
    expect(may(user("bob"), "receive", "home/x")).toBe(false);
    expect(may(user("bob"), "receive", "all/x")).toBe(true);
    expect(may({ username: "bob", clientId: "c1" }, "publish", "dev/c1/up")).toBe(true);
    expect(may({ username: "bob", clientId: "c2" }, "publish", "dev/c1/up")).toBe(false);
    expect(may(user("bob"), "subscribe", "users/bob/#")).toBe(true);
    expect(may(user("bob"), "subscribe", "users/#")).toBe(false);
    expect(may(user("admin"), "receive", "home/x")).toBe(false);
    expect(ask(user("alice"), "publish", "home/x").rule).toBe("auth-acl: acl.txt:5");
    expect(ask(user("alice"), "publish", "home/safe").rule).toBe("auth-acl: acl.txt:6");
    expect(ask(user("bob"), "receive", "all/secret").rule).toBe("auth-acl: acl.txt:13");
  });

  test("deny hides its topics from wider subscriptions too", async () => {
    const { may } = await file(SAMPLE);
    expect(may(user("alice"), "subscribe", "home/#")).toBe(true);
    expect(may(user("alice"), "subscribe", "home/safe")).toBe(false);
    expect(may(user("alice"), "receive", "home/safe")).toBe(false);
  });

  test("subscribe: overlapping grants a wide subscription and filters what it brings", async () => {
    const { may } = await file(SAMPLE, { fileSubscriptions: "overlapping" });
    expect(may(user("alice"), "subscribe", "#")).toBe(true);
    expect(may(user("alice"), "receive", "elsewhere")).toBe(false);
    expect(may(user("alice"), "subscribe", "elsewhere/#")).toBe(false);
    const strict = await file(SAMPLE);
    expect(strict.may(user("alice"), "subscribe", "#")).toBe(false);
  });

  test.each(["+", "#", "a/b", "+/#", "", "$SYS", "a\0"])(
    "a client called %j gains nothing by its name",
    async (name) => {
      const { may } = await file("pattern %u/#\npattern dev/%c/#\n");
      const who = { username: name, clientId: name };
      for (const topic of ["x/y", "$SYS/a", "a/b/c", "/x", `${name}/y`]) expect(may(who, "publish", topic)).toBe(false);
      for (const topic of ["dev/x/y", "dev//y"]) expect(may(who, "receive", topic)).toBe(false);
      for (const topic of ["#", "+/#", "dev/#", "dev/+/#", "$SYS/#"]) expect(may(who, "subscribe", topic)).toBe(false);
    },
  );

  test("nor does it escape a pattern that denies", async () => {
    const { may } = await file("pattern readwrite #\npattern deny jail/%u/x\n");
    expect(may(user("bob"), "publish", "jail/bob/x")).toBe(false);
    expect(may(user("bob"), "publish", "jail/eve/x")).toBe(true);
    expect(may(user("a/b"), "publish", "jail/a/b/x")).toBe(false);
    expect(may(user("+"), "publish", "jail/+/x")).toBe(false);
    expect(may({}, "publish", "jail/bob/x")).toBe(true);
  });

  test.each([
    ["\nuser\n", "line 2: expected a user name"],
    ["topci read a\n", 'expected "topic", "user" or "pattern", got "topci"'],
    ["topic read a/#/b\n", '"a/#/b" is no topic filter'],
    ["topic read a+\n", '"a+" is no topic filter'],
  ])("%j is refused as a whole", async (text, message) => {
    await expect(file(text)).rejects.toThrow(message);
  });

  test("a change makes the broker ask again, a damaged file does not", async () => {
    const { host, may, path } = await file("topic read a\n");
    writeFileSync(path, "topic read bb\n");
    await vi.waitFor(() => {
      host.advance(2000);
      expect(host.rulesChanges).toBe(1);
    });
    expect(may({}, "receive", "a")).toBe(false);
    expect(may({}, "receive", "bb")).toBe(true);
    writeFileSync(path, "rubbish\n");
    await vi.waitFor(() => {
      host.advance(2000);
      expect(host.logs.some(({ level }) => level === "error")).toBe(true);
    });
    expect(may({}, "receive", "bb")).toBe(true);
    expect(host.rulesChanges).toBe(1);
  });
});

test("lists and file together: both must allow", async () => {
  const { may } = await file("user u\ntopic a\ntopic b\n", { publish: { u: ["b", "c"] } });
  expect(["a", "b", "c"].map((topic) => may(user("u"), "publish", topic))).toEqual([false, true, false]);
});
