// Spans of messages in a broker, with the real API and SDK of OpenTelemetry.
import * as api from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import type { PluginMessage, UserProperties } from "@wrenmq/plugin-api";
import { TestHost, testClient } from "@wrenmq/plugin-api/testing";
import { type BrokerFixture, pluginOf, startBroker } from "@wrenmq/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import openTelemetry from "../src/index.ts";
import { openTelemetryWith } from "../src/opentelemetry.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const traceparent = (flags = "01"): UserProperties => [["traceparent", `00-${TRACE}-${PARENT}-${flags}`]];

const exporter = new InMemorySpanExporter();
const open: BrokerFixture[] = [];

beforeEach(() => {
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  api.trace.setGlobalTracerProvider(provider);
});

afterEach(async () => {
  for (const fixture of open.splice(0)) await fixture.stop();
  api.trace.disable();
  exporter.reset();
});

async function broker(options: Parameters<typeof openTelemetry>[0] = {}) {
  const fixture = await startBroker({
    plugins: [pluginOf("everybody", { authenticate: () => true }), openTelemetry(options)],
  });
  open.push(fixture);
  const subscriber = await fixture.connect(5, { clientId: "sub", properties: { sessionExpiryInterval: 60 } });
  await subscriber.subscribe("t", { qos: 1 });
  const publisher = await fixture.connect(5, { clientId: "pub" });
  return { fixture, subscriber, publisher };
}

/** Finished spans of a name. */
const spans = (wanted: string): ReadableSpan[] => exporter.getFinishedSpans().filter(({ name }) => name === wanted);

describe("a trace of the publisher", () => {
  test("goes on: publish, route, deliver, and on to the subscriber", async () => {
    const { subscriber, publisher } = await broker({ ratio: 0 });
    const userProperties: UserProperties = [["a", "1"], ...traceparent(), ["tracestate", "vendor=x"], ["a", "2"]];
    await publisher.publish("t", "payload", { qos: 1, properties: { userProperties } });
    const received = await subscriber.take("t", "payload", { qos: 1 });
    const [[publish], [route], deliver] = [spans("publish"), spans("route"), spans("deliver")];
    expect(publish?.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: PARENT, isRemote: true });
    expect(publish?.spanContext().traceState?.serialize()).toBe("vendor=x");
    expect(route?.parentSpanContext?.spanId).toBe(publish?.spanContext().spanId);
    expect(deliver.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([route?.spanContext().spanId]);
    expect(publish?.attributes).toEqual({
      "messaging.system": "mqtt",
      "messaging.destination.name": "t",
      "messaging.client.id": "pub",
      "messaging.message.body.size": 7,
      "mqtt.qos": 1,
      "mqtt.retain": false,
      "mqtt.reason_code": 0,
      "wrenmq.listener": "memory",
    });
    expect(route?.attributes).toMatchObject({ "wrenmq.deliveries": 1, "wrenmq.queued": 0, "wrenmq.dropped": 0 });
    expect(deliver[0]?.attributes).toMatchObject({ "messaging.client.id": "sub", "mqtt.qos": 1 });
    expect(received.properties?.userProperties).toEqual([
      ["a", "1"],
      ["a", "2"],
      ["traceparent", `00-${TRACE}-${route?.spanContext().spanId}-01`],
      ["tracestate", "vendor=x"],
    ]);
  });

  test.each([
    ["that is not sampled", traceparent("00")],
    ["that is there twice", [...traceparent(), ...traceparent()]],
    ["of version ff", [["traceparent", `ff-${TRACE}-${PARENT}-01`]]],
    ["without a trace", [["traceparent", `00-${"0".repeat(32)}-${PARENT}-01`]]],
    ["without a span", [["traceparent", `00-${TRACE}-${"0".repeat(16)}-01`]]],
    ["with something behind it", [["traceparent", `00-${TRACE}-${PARENT}-01-more`]]],
    ["in capitals", [["traceparent", `00-${TRACE.toUpperCase()}-${PARENT}-01`]]],
    ["that is long", [["traceparent", "x".repeat(10_000)]]],
    ["that is empty", [["traceparent", ""]]],
    ["under another name", [["Traceparent", `00-${TRACE}-${PARENT}-01`]]],
  ] as const)("%s is left as it is", async (_what, userProperties) => {
    const { subscriber, publisher } = await broker({ ratio: 0 });
    await publisher.publish("t", "x", { properties: { userProperties } });
    const { properties } = await subscriber.take("t", "x");
    expect(properties?.userProperties).toEqual(userProperties);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test("is left alone with `follow: false`, and the message with `inject: false`", async () => {
    const left = await broker({ ratio: 1, follow: false });
    const properties = { userProperties: traceparent() };
    await left.publisher.publish("t", "x", { properties });
    expect((await left.subscriber.take("t", "x")).properties).toEqual(properties);
    expect(exporter.getFinishedSpans()).toEqual([]);
    const followed = await broker({ ratio: 0, inject: false });
    await followed.publisher.publish("t", "x", { properties });
    expect((await followed.subscriber.take("t", "x")).properties).toEqual(properties);
    expect(spans("publish")).toHaveLength(1);
  });
});

describe("a trace that begins here", () => {
  test("is begun for a part of the messages: all, or none", async () => {
    const all = await broker({ ratio: 1 });
    for (let number = 0; number < 10; number++) await all.publisher.publish("t", String(number));
    expect(new Set(spans("publish").map((span) => span.spanContext().traceId)).size).toBe(10);
    expect(spans("publish").every(({ parentSpanContext }) => parentSpanContext === undefined)).toBe(true);
    exporter.reset();
    const none = await broker({ ratio: 0 });
    for (let number = 0; number < 10; number++) await none.publisher.publish("t", String(number));
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test("reaches MQTT 5 subscribers of a publisher that speaks MQTT 3.1.1", async () => {
    const { fixture, subscriber } = await broker({ ratio: 1 });
    const old = await fixture.connect(4, { clientId: "old" });
    const oldSubscriber = await fixture.connect(4, { clientId: "old sub" });
    await oldSubscriber.subscribe("t");
    await old.publish("t", "x");
    const { properties } = await subscriber.take("t", "x");
    expect(properties?.userProperties?.map(([name]) => name)).toEqual(["traceparent"]);
    await oldSubscriber.take("t", "x");
    expect(spans("deliver")).toHaveLength(2);
  });

  test("says what became of the message: queued, dropped, wanted by nobody", async () => {
    const { fixture, subscriber, publisher } = await broker({ ratio: 1 });
    await subscriber.cut();
    await publisher.publish("t", "x", { qos: 1 });
    await publisher.publish("t", "x", { qos: 0 });
    await publisher.publish("nobody", "x", { qos: 1 });
    expect(
      spans("route").map(({ events }) => events.map(({ name, attributes }) => [name, attributes?.["reason"]])),
    ).toEqual([[["queued", undefined]], [["dropped", "offline"]], []]);
    expect(spans("publish").map(({ attributes }) => attributes["mqtt.reason_code"])).toEqual([0, 0, 0x10]);
    expect(fixture.broker.metrics().hookFailures).toBe(0);
  });
});

describe("bounds", () => {
  test("a client that wants a trace of everything gets so many a second", async () => {
    const properties = { userProperties: traceparent() };
    const message: PluginMessage = {
      topic: "t",
      payload: new Uint8Array(),
      qos: 0,
      retain: false,
      publisher: "c",
      properties,
    };
    const begun = async (maxPerSecond: number): Promise<number> => {
      const host = await TestHost.start([openTelemetry({ ratio: 1, maxPerSecond })]);
      const traces = Array.from({ length: 10_000 }, () => host.chain.tracing?.begin(testClient(), message));
      return traces.filter((trace) => trace !== undefined).length;
    };
    expect(await begun(0)).toBe(0);
    const some = await begun(5);
    expect(some).toBeGreaterThanOrEqual(5);
    expect(some).toBeLessThan(1_000);
  });

  test("a message for many has so many spans, and the number of all", async () => {
    const { fixture, publisher } = await broker({ ratio: 1, maxDeliveries: 2 });
    for (let number = 0; number < 5; number++) {
      await (await fixture.connect(5, { clientId: `sub ${number}` })).subscribe("t");
    }
    await publisher.publish("t", "x");
    expect(spans("deliver")).toHaveLength(2);
    expect(spans("route")[0]?.attributes["wrenmq.deliveries"]).toBe(6);
  });

  test("options that make no sense are refused with their names", () => {
    expect(() => openTelemetry({ ratio: 2 })).toThrow(/ratio/);
  });
});

describe("without OpenTelemetry", () => {
  test("one line says so, and nothing is followed", async () => {
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    const host = await TestHost.start([openTelemetryWith(() => Promise.reject(missing))({ ratio: 1 })]);
    const line = "the package @opentelemetry/api cannot be loaded: no spans are made";
    expect(host.logs).toEqual([{ level: "warn", fields: { plugin: "opentelemetry" }, message: line }]);
    expect(host.chain.tracing).toBeUndefined();
  });

  test("with the API and no SDK, messages are what they were", async () => {
    api.trace.disable();
    const { subscriber, publisher } = await broker({ ratio: 1 });
    await publisher.publish("t", "x");
    expect((await subscriber.take("t", "x")).properties?.userProperties).toBeUndefined();
  });
});

test("a tracer that fails loses its spans and no message", async () => {
  api.trace.disable();
  const startSpan = (): never => {
    throw new Error("no more spans");
  };
  api.trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) } as unknown as api.TracerProvider);
  const { fixture, subscriber, publisher } = await broker({ ratio: 1 });
  await publisher.publish("t", "x", { qos: 1 });
  await subscriber.take("t", "x");
  expect(fixture.broker.metrics().hookFailures).toBe(1);
});
