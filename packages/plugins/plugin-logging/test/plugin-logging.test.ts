import type { ObserveHooks, PluginMessage, SessionInfo } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { describe, expect, test } from "vitest";
import { eventLog, packetLog } from "../src/index.ts";

const client = testClient({ clientId: "c1", username: "bob" });
const secret = Uint8Array.of(104, 117, 115, 104);
const message: PluginMessage = {
  topic: "a/b",
  payload: secret,
  qos: 1,
  retain: false,
  properties: undefined,
  publisher: "c1",
};
const session: SessionInfo = {
  clientId: "c1",
  connected: true,
  username: "bob",
  expiryInterval: 0,
  subscriptions: new Map(),
  queued: 0,
  inflight: 0,
};
const subscription = {
  topicFilter: "a/#",
  qos: 1,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
} as const;

describe("event log", () => {
  const events: { [Name in keyof ObserveHooks]?: [Parameters<ObserveHooks[Name]>, level: string, text: string] } = {
    brokerStarting: [[], "info", "broker starting"],
    brokerStarted: [[], "info", "broker started"],
    brokerStopping: [[], "info", "broker stopping"],
    brokerStopped: [[], "info", "broker stopped"],
    connected: [[client], "info", "client connected"],
    disconnected: [[client, 0], "info", "client disconnected"],
    refused: [[client, { reasonCode: 0x87, rule: "no" }], "info", "client refused"],
    subscribed: [[client, subscription, 1], "debug", "subscribed"],
    unsubscribed: [[client, "a/#"], "debug", "unsubscribed"],
    received: [[client, message], "debug", "message received"],
    published: [[undefined, message], "debug", "message published"],
    delivered: [[client, message, 0], "debug", "message delivered"],
    acknowledged: [[client, 7], "debug", "message acknowledged"],
    dropped: [["c2", message, "queueFull", "subscriber"], "debug", "message dropped"],
    retained: [[message], "debug", "message retained"],
    retainedCleared: [["a/b"], "debug", "retained message cleared"],
    sessionCreated: [[session], "debug", "session created"],
    sessionResumed: [[session], "debug", "session resumed"],
    sessionTakenOver: [[session], "debug", "session taken over"],
    sessionEnded: [[session, "expired"], "debug", "session ended"],
  };
  test.each(Object.entries(events))("%s", async (name, [given, level, text]) => {
    const host = await TestHost.start([eventLog()]);
    const observer = host.chain.observe[name as keyof ObserveHooks] as (...given: unknown[]) => void;
    observer(...given);
    expect(host.logs).toMatchObject([{ level, message: text, fields: { plugin: "event-log" } }]);
    expect(JSON.stringify(host.logs)).not.toMatch(/hush|104,117|:104/);
  });
});

describe("packet log", () => {
  test("both directions, before and after CONNECT, without secrets", async () => {
    const host = await TestHost.start([packetLog()]);
    host.chain.observe.packetReceived?.(undefined, {
      type: "connect",
      protocolVersion: 5,
      clientId: "c1",
      cleanStart: true,
      keepAlive: 60,
      username: "bob",
      password: secret,
      will: { topic: "w", payload: secret, qos: 0, retain: false },
      properties: { authenticationMethod: "M", authenticationData: secret, receiveMaximum: 3 },
    });
    host.chain.observe.packetSent?.(client, {
      type: "publish",
      topic: "t",
      payload: secret,
      qos: 0,
      retain: false,
      dup: false,
    });
    expect(host.logs.map(({ message: text }) => text)).toEqual(["c1 <-in-- connect", "c1 -out-> publish"]);
    expect(host.logs[0]?.fields).toMatchObject({
      packet: { username: "bob", password: "***", properties: { authenticationData: "***", receiveMaximum: 3 } },
    });
    expect(host.logs[1]?.fields).toMatchObject({ packet: { payload: "4 bytes" } });
  });

  test("pings can be left out", async () => {
    const host = await TestHost.start([packetLog({ pings: false })]);
    host.chain.observe.packetReceived?.(client, { type: "pingreq" });
    expect(host.logs).toEqual([]);
  });
});
