import type { ConnectPacket, MaybePromise, Verdict } from "@wrenmq/plugin-api";
import { networkOf } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FailureLog } from "../src/failure-log.ts";
import { type AuthGuardOptions, authGuard } from "../src/index.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());
const later = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

async function start(given?: AuthGuardOptions) {
  const host = await TestHost.start([authGuard(given)]);
  const client = (remoteAddress: string, username?: string) => testClient({ remoteAddress, username });
  return {
    host,
    connect(remoteAddress: string, username?: string): MaybePromise<ConnectPacket | Verdict> | undefined {
      const packet: ConnectPacket = {
        type: "connect",
        protocolVersion: 5,
        clientId: "c",
        cleanStart: true,
        keepAlive: 0,
        ...(username === undefined ? {} : { username }),
      };
      return host.chain.connect?.(client(remoteAddress, username), packet);
    },
    fail(remoteAddress: string, username?: string, reasonCode: Verdict["reasonCode"] = 0x87) {
      host.chain.observe.refused?.(client(remoteAddress, username), { reasonCode });
    },
    succeed: (remoteAddress: string, username?: string) =>
      host.chain.observe.connected?.(client(remoteAddress, username)),
  };
}

describe("bans", () => {
  test("an address is banned after too many failures, and let in again later", async () => {
    const { connect, fail, host } = await start({ banAddressAfter: 3, banSeconds: 60, delay: 0 });
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(connect("192.0.2.1")).toMatchObject({ type: "connect" });
      fail("192.0.2.1");
    }
    expect(connect("192.0.2.1")).toEqual({
      reasonCode: 0x8a,
      rule: "auth-guard: address 192.0.2.1 is banned for a while",
    });
    expect(connect("192.0.2.2")).toMatchObject({ type: "connect" });
    expect(host.logs).toMatchObject([{ level: "warn", fields: { address: "192.0.2.1" } }]);
    later(60_000);
    expect(connect("192.0.2.1")).toMatchObject({ type: "connect" });
  });

  test("failures far apart do not add up", async () => {
    const { connect, fail } = await start({ banAddressAfter: 2, windowSeconds: 10, delay: 0 });
    fail("192.0.2.1");
    later(10_000);
    fail("192.0.2.1");
    expect(connect("192.0.2.1")).toMatchObject({ type: "connect" });
  });

  test("only failures to authenticate count, not our own refusals or a server in trouble", async () => {
    const { connect, fail } = await start({ banAddressAfter: 1, delay: 0 });
    for (const reasonCode of [0x8a, 0x88, 0x89, 0x85] as const) fail("192.0.2.1", "u", reasonCode);
    expect(connect("192.0.2.1")).toMatchObject({ type: "connect" });
    fail("192.0.2.1", "u", 0x86);
    expect(connect("192.0.2.1")).toMatchObject({ reasonCode: 0x8a });
  });

  test("a login of one's own does not make the address innocent", async () => {
    const { connect, fail, succeed } = await start({ banAddressAfter: 2, delay: 0 });
    fail("192.0.2.1", "victim");
    succeed("192.0.2.1", "attacker");
    fail("192.0.2.1", "victim");
    expect(connect("192.0.2.1", "attacker")).toMatchObject({ reasonCode: 0x8a });
  });

  test("a user can be banned from wherever; by default it is not, so that nobody can be locked out", async () => {
    for (const banUserAfter of [0, 2]) {
      const { connect, fail } = await start({ banUserAfter, delay: 0 });
      fail("192.0.2.1", "bob");
      fail("192.0.2.2", "bob");
      const expected = banUserAfter === 0 ? { type: "connect" } : { reasonCode: 0x8a };
      expect(connect("192.0.2.3", "bob")).toMatchObject(expected);
      expect(connect("192.0.2.3", "ann")).toMatchObject({ type: "connect" });
    }
  });
});

describe("delays", () => {
  test("double with each failure, up to a limit", async () => {
    const { connect, fail, host } = await start({ freeFailures: 1, delay: 100, maxDelay: 300, banAddressAfter: 0 });
    const waited: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      const answer = connect("192.0.2.1");
      let delay = 0;
      let done = !(answer instanceof Promise);
      if (answer instanceof Promise) void answer.then(() => (done = true));
      while (!done) {
        host.advance(50);
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
        delay += 50;
      }
      waited.push(delay);
      fail("192.0.2.1");
    }
    expect(waited).toEqual([0, 0, 100, 200, 300, 300]);
  });

  test("are for the user too, wherever it fails, until it logs in", async () => {
    const { connect, fail, succeed } = await start({ freeFailures: 0, delay: 100 });
    fail("192.0.2.1", "bob");
    expect(connect("192.0.2.2", "bob")).toBeInstanceOf(Promise);
    succeed("192.0.2.2", "bob");
    expect(connect("192.0.2.2", "bob")).not.toBeInstanceOf(Promise);
  });

  test("not more wait than may", async () => {
    const { connect, fail } = await start({ freeFailures: 0, maxWaiting: 1 });
    fail("192.0.2.1");
    expect(connect("192.0.2.1")).toBeInstanceOf(Promise);
    expect(connect("192.0.2.1")).toMatchObject({ reasonCode: 0x89 });
  });
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["", undefined],
  ["/run/mqtt.sock", undefined],
])("network of %s: %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("the log of failures stays small", () => {
  const log = new FailureLog({ banAfter: 2, window: 1000, ban: 1000 }, 100);
  for (let index = 0; index < 1000; index++) log.fail(`a${index}`, 0);
  expect(log.size).toBe(100);
  log.fail("z", 5000);
  expect(log.size).toBe(1);
});
