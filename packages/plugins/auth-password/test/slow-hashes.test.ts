// What happens while hashes are slow: the hasher is a fake whose work takes simulated time, on two cores.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HashQueue, type VerifyInTurn } from "@wrenmq/password-hash";
import { type Identity, isAllowed } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { passwordHooks } from "../src/auth-password.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** As hbmqtt's passlib writes it; the fake hasher takes every password that is the user's name for the right one. */
const HASH = `$6$rounds=656000$salt$${"x".repeat(86)}`;
const SECOND_HASH = `$6$rounds=656000$tlas$${"x".repeat(86)}`;
const CORES = 2;

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
  file = join(folder, "passwd");
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Given {
  readonly users: readonly string[];
  /** Simulated milliseconds of one hash. */
  readonly takes?: number;
  readonly waiting?: number;
  readonly rememberSeconds?: number;
}

async function start({ users, takes = 1100, waiting = 1000, rememberSeconds = 0 }: Given) {
  writeFileSync(file, users.map((user) => `${user}:${HASH}\n`).join(""));
  const queue = new HashQueue({ atOnce: CORES, waiting });
  const seen = { computed: 0, atOnce: 0, most: 0 };
  const verify: VerifyInTurn = (_hash, password, turn) =>
    queue.run("threads", turn, () => {
      seen.computed++;
      seen.most = Math.max(seen.most, ++seen.atOnce);
      return new Promise((resolve) => {
        host.timers.setTimeout(() => {
          seen.atOnce--;
          resolve(!new TextDecoder().decode(password).startsWith("wrong"));
        }, takes);
      });
    });
  const host: TestHost = await TestHost.start([
    {
      name: "passwords",
      setup: (context) => passwordHooks({ file, rememberSeconds, reloadIntervalSeconds: 2 }, context, verify),
    },
  ]);
  const connect = (username: string, { password = username, from = "192.0.2.1" } = {}) => {
    let gone = () => {};
    const answer = Promise.resolve(
      host.chain.authenticate(testClient({ username, remoteAddress: from }), bytes(password), (listener) => {
        gone = listener;
      }),
    );
    return { answer, leave: () => gone() };
  };
  /** Lets time pass in steps, so that what one step ended can begin something in the next. */
  const pass = async (milliseconds: number): Promise<void> => {
    for (let step = 0; step < milliseconds; step += 100) {
      host.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { host, seen, connect, pass };
}

const settled = async (answer: Promise<Identity>): Promise<Identity | "waits"> =>
  Promise.race([answer, new Promise<"waits">((resolve) => setImmediate(() => resolve("waits")))]);

describe("slow hashes", () => {
  const devices = Array.from({ length: 100 }, (_none, index) => `device-${index}`);

  test("a hundred devices at once are all in when their hashes are computed, although most wait longer than a hook may take", async () => {
    const { host, seen, connect, pass } = await start({ users: devices });
    const answers = devices.map((device) => connect(device).answer);
    await pass((devices.length / CORES) * 1100 + 100);
    const identities = await Promise.all(answers.map(settled));
    expect(identities.filter((identity) => identity !== "waits" && isAllowed(identity))).toHaveLength(100);
    expect(seen).toMatchObject({ computed: 100, most: CORES });
    expect(host.failures).toEqual([]);
  });

  test("strangers with wrong names take no more than their address's share", async () => {
    const { connect, pass } = await start({ users: devices.slice(0, 10) });
    for (let index = 0; index < 100; index++) connect(`stranger-${index}`, { from: "198.51.100.1" });
    const answers = devices.slice(0, 10).map((device) => connect(device).answer);
    await pass(10 * 1100 + 1200);
    expect(await Promise.all(answers.map(settled))).toMatchObject(Array(10).fill({ reasonCode: 0 }));
  });

  test("attempts of clients that have gone are not computed", async () => {
    const { host, seen, connect, pass } = await start({ users: devices });
    const attempts = devices.map((device) => connect(device));
    for (const attempt of attempts.slice(CORES)) attempt.leave();
    await pass(20_000);
    expect(seen.computed).toBe(CORES);
    expect(host.failures).toEqual([]);
  });

  test("who finds the queue full is refused at once with Server busy, not as a wrong password", async () => {
    const { connect } = await start({ users: devices, waiting: 10 });
    const answers = devices.slice(0, CORES + 11).map((device) => connect(device).answer);
    expect(await settled(answers.at(-1) as Promise<Identity>)).toMatchObject({ reasonCode: 0x89 });
    expect(await settled(answers.at(-2) as Promise<Identity>)).toBe("waits");
  });

  test("a hash that takes longer than a hook may, as on a machine that is busy, is not computed in vain", async () => {
    const { host, connect, pass } = await start({ users: ["bob"], takes: 60_000 });
    const { answer } = connect("bob");
    await pass(60_100);
    expect(await settled(answer)).toMatchObject({ reasonCode: 0 });
    expect(host.failures).toEqual([]);
  });

  test("a password that is not valid any more when its turn comes is refused", async () => {
    const { host, connect, pass } = await start({ users: ["bob"], takes: 5000 });
    const { answer } = connect("bob");
    writeFileSync(file, `bob:${SECOND_HASH}\n`);
    await vi.waitFor(() => {
      host.advance(2000);
      expect(host.logs.some(({ message }) => message === "file reloaded")).toBe(true);
    });
    await pass(5000);
    expect(await settled(answer)).toMatchObject({ reasonCode: 0x87 });
  });
});

describe("users are remembered", () => {
  test("a right password is not computed again for a while, a wrong one always", async () => {
    const { seen, connect, pass } = await start({ users: ["bob"], rememberSeconds: 300 });
    const first = connect("bob").answer;
    await pass(1200);
    expect(await first).toMatchObject({ reasonCode: 0 });
    expect(await settled(connect("bob").answer)).toMatchObject({ reasonCode: 0, username: "bob" });
    expect(seen.computed).toBe(1);
    const wrong = connect("bob", { password: "wrong" }).answer;
    await pass(1200);
    expect(await wrong).toMatchObject({ reasonCode: 0x87 });
    expect(seen.computed).toBe(2);
  });

  test("a wrong password is not remembered", async () => {
    const { seen, connect, pass } = await start({ users: ["bob"], rememberSeconds: 300 });
    for (let time = 1; time <= 2; time++) {
      connect("bob", { password: "wrong" });
      await pass(1200);
      expect(seen.computed).toBe(time);
    }
  });

  test("a user whose entry has changed is not", async () => {
    const { host, connect, pass } = await start({ users: ["bob"], rememberSeconds: 300 });
    connect("bob");
    await pass(1200);
    writeFileSync(file, `bob:${SECOND_HASH}\n`);
    await vi.waitFor(() => {
      host.advance(2000);
      expect(host.logs.some(({ message }) => message === "file reloaded")).toBe(true);
    });
    expect(await settled(connect("bob").answer)).toBe("waits");
  });

  test("0 turns it off", async () => {
    const { seen, connect, pass } = await start({ users: ["bob"] });
    for (let time = 1; time <= 2; time++) {
      connect("bob");
      await pass(1200);
      expect(seen.computed).toBe(time);
    }
  });
});
