// Traces stand in the place of what they follow: without one everything is as if there were none.
import type { ConnectPacket, Packet } from "@wrenmq/codec";
import type { HookChain } from "@wrenmq/plugin-api";
import { describe, expect, test } from "vitest";
import { type ClientTap, ConnectionTaps } from "../../src/connections/connection-taps.ts";
import type { ListenerScope, TappedConnection } from "../../src/connections/services.ts";
import type { MessageTap } from "../../src/sessions/message-taps.ts";
import { MessageTaps } from "../../src/sessions/message-taps.ts";
import type { SessionRegistry } from "../../src/sessions/session-registry.ts";

function scopeOf(): ListenerScope & { chain: HookChain } {
  const chain = { observe: {}, authorize: () => ({ reasonCode: 0 }) } as unknown as HookChain;
  const scope = { name: "l", chain, rules: () => ({ chain: scope.chain, generation: 1, dollarTopics: "allow" }) };
  return { ...scope, connectionClosed: () => {} } as unknown as ListenerScope & { chain: HookChain };
}

let lastId = 0;

function connectionOf(scope: ListenerScope, clientId?: string): TappedConnection {
  const client = clientId === undefined ? undefined : { clientId, listener: "l" };
  return { transport: { id: ++lastId }, scope, client, access: {} } as unknown as TappedConnection;
}

function tapsFor(...connected: readonly TappedConnection[]): ConnectionTaps {
  const get = (clientId: string): object | undefined => {
    const connection = connected.find(({ client }) => client.clientId === clientId);
    return connection && { connection };
  };
  return new ConnectionTaps({ get } as unknown as SessionRegistry);
}

function recorder(): ClientTap & { readonly seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    packet: (_connection, direction, { type }) => seen.push(`${direction} ${type}`),
    authorized: (action, topic) => seen.push(`${action} ${topic}`),
    published: ({ topic }) => seen.push(`published ${topic}`),
    refused: () => seen.push("refused"),
    disconnected: () => seen.push("disconnected"),
  };
}

const connect = (clientId: string): Packet => ({ type: "connect", clientId }) as ConnectPacket;
const ping: Packet = { type: "pingreq" };

describe("connections", () => {
  test("only that of the traced client gets another scope, and its own again at the end", () => {
    const scope = scopeOf();
    const [traced, other] = [connectionOf(scope, "c"), connectionOf(scope, "other")];
    const taps = tapsFor(traced, other);
    const tap = recorder();
    expect(taps.isEmpty).toBe(true);
    taps.add("c", tap);
    expect([traced.scope === scope, other.scope === scope, taps.isEmpty]).toEqual([false, true, false]);
    traced.scope.chain.observe.packetReceived?.(traced.client, ping);
    void traced.scope.chain.authorize?.(traced.client, "publish", "t");
    expect(tap.seen).toEqual(["in pingreq", "publish t"]);
    taps.delete("c", tap);
    expect([traced.scope === scope, taps.isEmpty]).toEqual([true, true]);
  });

  test("one that begins meanwhile is followed until its CONNECT says whose it is", () => {
    const scope = scopeOf();
    const taps = tapsFor();
    const tap = recorder();
    taps.add("c", tap);
    const [own, other, silent, nameless] = [1, 2, 3, 4].map(() => connectionOf(scope)) as [
      TappedConnection,
      TappedConnection,
      TappedConnection,
      TappedConnection,
    ];
    for (const connection of [own, other, silent, nameless]) taps.opened(connection);
    own.scope.chain.observe.packetReceived?.(undefined as never, connect("c"));
    other.scope.chain.observe.packetReceived?.(undefined as never, connect("other"));
    nameless.scope.chain.observe.packetReceived?.(undefined as never, connect(""));
    expect([own, other, silent, nameless].map((one) => one.scope === scope)).toEqual([false, true, false, true]);
    expect(tap.seen).toEqual(["in connect"]);
    taps.delete("c", tap);
    expect(silent.scope).toBe(scope);
  });

  test("two traces of one client see the same; the first to end leaves the other", () => {
    const scope = scopeOf();
    const connection = connectionOf(scope, "c");
    const taps = tapsFor(connection);
    const [first, second] = [recorder(), recorder()];
    taps.add("c", first);
    taps.add("c", second);
    connection.scope.chain.observe.packetSent?.(connection.client, ping);
    taps.delete("c", first);
    connection.scope.chain.observe.packetSent?.(connection.client, ping);
    expect([first.seen, second.seen]).toEqual([["out pingreq"], ["out pingreq", "out pingreq"]]);
  });

  test("plugins that change meanwhile are the traced connection's, too", () => {
    const scope = scopeOf();
    const connection = connectionOf(scope, "c");
    const taps = tapsFor(connection);
    const tap = recorder();
    taps.add("c", tap);
    expect(connection.scope.chain.authorize?.(connection.client, "publish", "t")).toMatchObject({ reasonCode: 0 });
    scope.chain = { observe: {}, authorize: () => ({ reasonCode: 0x87 }) } as unknown as HookChain;
    const listened = connectionOf(scope, "c");
    tapsFor(listened).add("c", tap);
    expect(listened.scope.chain.authorize?.(listened.client, "publish", "t")).toMatchObject({ reasonCode: 0x87 });
    (scope as { chain: HookChain }).chain = { observe: {} } as unknown as HookChain;
    expect(listened.scope.chain.authorize).toBeUndefined();
  });
});

test("messages: nothing is called before the first tap, and after the last", () => {
  const taps: (MessageTap | undefined)[] = [];
  const all: MessageTaps = new MessageTaps(() => taps.push(all.tap));
  const seen: string[] = [];
  const tap = (name: string): MessageTap => ({
    delivered: (id) => seen.push(`${name} delivered ${id}`),
    queued: (id) => seen.push(`${name} queued ${id}`),
    dropped: (id) => seen.push(`${name} dropped ${id}`),
  });
  const [one, two] = [tap("one"), tap("two")];
  expect(all.tap).toBeUndefined();
  all.add(one);
  all.add(two);
  all.tap?.queued("c", {} as never, { qos: 1, retain: false, length: 1 });
  all.delete(one);
  all.tap?.dropped("c", {} as never, "offline", "subscriber");
  all.delete(two);
  expect(seen).toEqual(["one queued c", "two queued c", "two dropped c"]);
  expect([taps.length, taps.at(-1)]).toEqual([4, undefined]);
});
