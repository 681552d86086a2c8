// Streams without an end: what they show, how they are bounded, and that they end.
import { setMaxListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createToken } from "@wrenmq/auth-token";
import { type BrokerFixture, startBroker } from "@wrenmq/testkit";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AdminClient } from "../src/client/index.ts";
import { AdminHttp } from "../src/http/index.ts";
import { type Admin, createAdmin } from "../src/index.ts";
import { AdminSocket } from "../src/socket/index.ts";
import { readTrace } from "../src/trace/index.ts";
import { MemoryLogger } from "./support/memory-logger.ts";

let fixture: BrokerFixture;
let admin: Admin;
let logger: MemoryLogger;

beforeEach(async () => {
  fixture = await startBroker();
  logger = new MemoryLogger();
  admin = createAdmin({ broker: fixture.broker, logger, clock: fixture.clock });
});

afterEach(async () => {
  admin.close();
  if (fixture.broker.state === "started") await fixture.stop();
});

type Line = Record<string, unknown>;

const iteratorOf = (lines: AsyncIterable<object>): AsyncIterator<Line> =>
  lines[Symbol.asyncIterator]() as AsyncIterator<Line>;

/** Reads so many lines, while `act` makes them. */
async function take(lines: AsyncIterator<Line>, count: number, act?: () => unknown): Promise<Line[]> {
  const first = lines.next();
  await act?.();
  const found: Line[] = [];
  for (let next = first; found.length < count; next = lines.next()) {
    const { value, done } = await next;
    if (done === true) break;
    found.push(value);
    if (found.length === count) break;
  }
  return found;
}

describe("stats.watch", () => {
  test("has a line at every full second, with totals", async () => {
    const lines = iteratorOf(await admin.call("stats.watch", {}));
    const client = await fixture.connect(5, { clientId: "c" });
    const [one, two] = await take(lines, 2, async () => {
      await fixture.clock.advance(1_000);
      await client.subscribe("t");
      await fixture.clock.advance(20);
      await client.publish("t", "x");
      await client.publish("t", "x");
      await fixture.clock.advance(1_000);
    });
    expect(one).toMatchObject({ connections: 1, subscriptions: 0, messages: { received: 0, sent: 0, dropped: 0 } });
    expect(two).toMatchObject({ subscriptions: 1, messages: { received: 2, sent: 2, dropped: 0 }, sessions: 1 });
    expect(one?.["droppedByReason"]).toMatchObject({ queueFull: 0, notAuthorized: 0, offline: 0 });
    for (const name of ["heapBytes", "residentBytes"]) expect(one?.[name]).toBeGreaterThan(0);
    expect(Number(one?.["at"]) % 1_000).toBe(0);
    expect(Number(two?.["at"]) - Number(one?.["at"])).toBe(1_000);
    expect(one).not.toHaveProperty("latencyP99", expect.anything());
    expect(two?.["latencyP50"]).toBeGreaterThan(0);
    expect(Number(two?.["latencyP99"])).toBeGreaterThanOrEqual(Number(two?.["latencyP50"]));
    await lines.return?.();
  });

  test("of longer intervals, a line at every multiple of them", async () => {
    const lines = iteratorOf(await admin.call("stats.watch", { seconds: 5 }));
    const found = await take(lines, 2, () => fixture.clock.advance(11_000));
    expect(found.map(({ at }) => Number(at) % 5_000)).toEqual([0, 0]);
    await lines.return?.();
  });

  test("begins with at most 15 minutes that somebody watched, and forgets them an hour after", async () => {
    const start = fixture.clock.now();
    const first = iteratorOf(await admin.call("stats.watch", {}));
    await take(first, 1, () => fixture.clock.advance(1_000_000));
    await first.return?.();
    await fixture.clock.advance(10_000);
    const again = iteratorOf(await admin.call("stats.watch", { history: true }));
    const found = await take(again, 900);
    expect(found.map(({ at }) => at)).toEqual(Array.from({ length: 900 }, (_, index) => start + (111 + index) * 1_000));
    await again.return?.();
    const without = iteratorOf(await admin.call("stats.watch", {}));
    expect(await take(without, 1, () => fixture.clock.advance(1_000))).toMatchObject([{ at: start + 1_011_000 }]);
    await without.return?.();
    await fixture.clock.advance(3_700_000);
    expect(fixture.clock.pendingTimers).toBeLessThan(3);
    const later = iteratorOf(await admin.call("stats.watch", { history: true }));
    const [line] = await take(later, 1, () => fixture.clock.advance(1_000));
    expect(line?.["at"]).toBe(fixture.clock.now());
    await later.return?.();
  });
});

describe("messages.watch", () => {
  test("shows retained messages first and marked, then what is published, by whom and with what", async () => {
    fixture.broker.retain("a/r", "old", { qos: 1 });
    fixture.broker.retain("b/r", "of another topic");
    const lines = iteratorOf(await admin.call("messages.watch", { filter: "a/#" }));
    const client = await fixture.connect(5, { clientId: "c" });
    const [retained] = await take(lines, 1);
    expect(retained).toMatchObject({ topic: "a/r", payload: "old", qos: 1, retain: true, retained: true });
    const [one] = await take(lines, 1, () =>
      client.publish("a/1", "grüß", {
        qos: 1,
        properties: { contentType: "text/plain", userProperties: [["k", "v"]] },
      }),
    );
    expect(one).toEqual({
      at: fixture.clock.now(),
      topic: "a/1",
      qos: 1,
      retain: false,
      publisher: "c",
      bytes: 6,
      encoding: "utf8",
      payload: "grüß",
      contentType: "text/plain",
      userProperties: [["k", "v"]],
    });
    const [two] = await take(lines, 1, () => fixture.broker.publish("a/2", Uint8Array.of(0xff, 0)));
    expect(two).toMatchObject({ publisher: "", encoding: "base64", payload: "/wA=" });
    await lines.return?.();
  });

  test("is no subscriber: nobody is told that there is one, and no plugin is asked", async () => {
    const asked = vi.fn(() => true);
    await fixture.stop();
    fixture = await startBroker({ hooks: { authorize: asked } });
    admin = createAdmin({ broker: fixture.broker, logger });
    const lines = iteratorOf(await admin.call("messages.watch", { filter: "#" }));
    const client = await fixture.connect(5, { clientId: "c" });
    const seen = await take(lines, 1, async () => {
      client.send({
        type: "publish",
        topic: "t",
        payload: Buffer.from("x"),
        qos: 1,
        packetId: 1,
        retain: false,
        dup: false,
      });
      expect(await client.expect("puback")).toMatchObject({ reasonCode: 0x10 });
    });
    expect(seen).toMatchObject([{ topic: "t" }]);
    expect(asked.mock.calls.map((call: unknown[]) => call[1])).toEqual(["publish"]);
    expect(fixture.broker.metrics().subscriptions).toBe(0);
    await lines.return?.();
  });

  test("$SYS only for a filter that says so; what is refused is not shown", async () => {
    await fixture.stop();
    fixture = await startBroker({
      sys: { intervalSeconds: 10 },
      hooks: { authorize: (_client, _action, topic) => topic !== "no" },
    });
    admin = createAdmin({ broker: fixture.broker, logger });
    const all = iteratorOf(await admin.call("messages.watch", { filter: "#" }));
    const sys = iteratorOf(await admin.call("messages.watch", { filter: "$SYS/broker/uptime" }));
    const client = await fixture.connect(5, { clientId: "c" });
    const [first] = await take(all, 1, async () => {
      await fixture.clock.advance(10_000);
      await client.publish("no", "x");
      await client.publish("yes", "x");
    });
    expect(first).toMatchObject({ topic: "yes" });
    const topics = (await take(sys, 2, () => fixture.clock.advance(10_000))).map(({ topic }) => topic);
    expect(topics).toEqual(["$SYS/broker/uptime", "$SYS/broker/uptime"]);
    await Promise.all([all.return?.(), sys.return?.()]);
  });

  test("payloads are cut where the caller says so, not within a character", async () => {
    const lines = iteratorOf(await admin.call("messages.watch", { filter: "t", payloadBytes: 4 }));
    const found = await take(lines, 2, () => {
      fixture.broker.publish("t", "abcü");
      fixture.broker.publish("t", "abcd");
    });
    expect(found).toMatchObject([{ bytes: 5, payload: "abc", truncated: true }, { payload: "abcd" }]);
    expect(found[1]).not.toHaveProperty("truncated");
    await lines.return?.();
  });

  test("ends after so many messages", async () => {
    fixture.broker.retain("a", "1");
    const lines = iteratorOf(await admin.call("messages.watch", { filter: "#", limit: 2 }));
    expect(await take(lines, 1)).toHaveLength(1);
    expect(await take(lines, 5, () => fixture.broker.publish("b", "2"))).toHaveLength(1);
  });

  test("of a reader that is too slow, a bounded number waits, and it is told how many it has missed", async () => {
    const lines = iteratorOf(await admin.call("messages.watch", { filter: "t" }));
    const found = await take(lines, 501, () => {
      for (let count = 0; count < 1_000; count++) fixture.broker.publish("t", String(count));
    });
    expect(found.map(({ payload }) => payload).slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, n) => String(n)));
    expect(found.at(-1)).toEqual({ dropped: 500 });
    const [next] = await take(lines, 1, () => fixture.broker.publish("t", "later"));
    expect(next).toMatchObject({ payload: "later" });
    await lines.return?.();
  });

  test("what waits is bounded in bytes too", async () => {
    const lines = iteratorOf(await admin.call("messages.watch", { filter: "t", payloadBytes: 65_536 }));
    const found = await take(lines, 32, () => {
      for (let count = 0; count < 100; count++) fixture.broker.publish("t", new Uint8Array(70_000));
    });
    expect(found.filter((line) => "dropped" in line)).toEqual([{ dropped: 100 - 31 }]);
    await lines.return?.();
  });

  test("a shared subscription and a filter that is none are refused; who watches payloads is logged", async () => {
    await expect(admin.call("messages.watch", { filter: "$share/g/t" })).rejects.toMatchObject({ field: "filter" });
    await expect(admin.call("messages.watch", { filter: "a/#/b" })).rejects.toMatchObject({ field: "filter" });
    const lines = iteratorOf(await admin.call("messages.watch", { filter: "t" }, { who: "ada" }));
    expect(logger.lines).toMatchObject([{ fields: { command: "messages.watch", who: "ada", input: { filter: "t" } } }]);
    await lines.return?.();
  });
});

describe("the end of a stream", () => {
  test("comes when the broker stops", async () => {
    const streams = [
      iteratorOf(await admin.call("messages.watch", { filter: "t" })),
      iteratorOf(await admin.call("stats.watch", {})),
    ];
    const ends = streams.map((lines) => lines.next());
    await fixture.stop();
    expect(await Promise.all(ends)).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
  });

  test("comes when the signal says so; only so many streams are open at the same time", async () => {
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const open = (): Promise<AsyncIterable<object>> =>
      admin.call("messages.watch", { filter: "t" }, undefined, controller.signal);
    const first = iteratorOf(await open()).next();
    for (let count = 1; count < 32; count++) await open();
    await expect(open()).rejects.toMatchObject({ code: "too_many_requests" });
    controller.abort();
    expect(await first).toMatchObject({ done: true });
    const again = iteratorOf(await admin.call("messages.watch", { filter: "t" }));
    await again.return?.();
  });
});

describe("over HTTP and the socket", () => {
  let folder: string;
  let http: AdminHttp;
  let token: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wrenmq-admin-"));
    const tokensFile = join(folder, "tokens");
    token = (await createToken(tokensFile, { user: "ada", role: "operate" })).token;
    http = await AdminHttp.start({ admin, logger, host: "127.0.0.1", port: 0, tokensFile });
  });

  afterEach(async () => {
    await http.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (path: string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> =>
    fetch(`${http.address}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(signal === undefined ? {} : { signal }),
    });

  /** Counts those who watch messages. */
  const watchers = (): { count: number } => {
    const { operations } = fixture.broker;
    const watching = { count: 0 };
    const watch = operations.watchMessages.bind(operations);
    vi.spyOn(operations, "watchMessages").mockImplementation((...given) => {
      const stop = watch(...given);
      watching.count++;
      return () => {
        watching.count--;
        stop();
      };
    });
    return watching;
  };

  test("lines of JSON, and the end of the broker's side is the end of the answer", async () => {
    fixture.broker.retain("t", "x");
    const response = await open("messages.watch?filter=t");
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(JSON.parse(Buffer.from(value ?? []).toString())).toMatchObject({ topic: "t", retained: true });
    const closing = http.close();
    expect(await reader.read()).toMatchObject({ done: true });
    await closing;
  });

  test("server-sent events where the request asks for them, with an event that says that there is no more", async () => {
    fixture.broker.retain("t", "x");
    const response = await open("messages.watch?filter=t&limit=1", { accept: "text/event-stream" });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const [event, ...rest] = (await response.text()).split("\n\n");
    expect(JSON.parse(event?.replace(/^data: /, "") ?? "")).toMatchObject({ topic: "t" });
    expect(rest).toEqual(["event: end\ndata: {}", ""]);
  });

  test("a trace over HTTP is a file that can be read", async () => {
    const response = await open("trace.run?client=c&seconds=1&payloads=true");
    const client = await fixture.connect(5, { clientId: "c", username: "ada", password: Buffer.from("Secret") });
    await client.publish("t", "x");
    await fixture.clock.advance(1_000);
    const text = await response.text();
    const { header, records } = readTrace(text);
    expect(header).toMatchObject({ client: "c", payloads: true });
    expect(records.map(({ kind }) => kind)).toEqual(["packet", "packet", "packet", "routed", "end"]);
    expect(text).not.toContain("Secret");
  });

  test("when the client goes, nobody watches any more", async () => {
    const watching = watchers();
    const leave = new AbortController();
    await open("messages.watch?filter=t", {}, leave.signal);
    expect(watching.count).toBe(1);
    leave.abort();
    await vi.waitFor(() => expect(watching.count).toBe(0));
  });

  test("the answer to HEAD has an end", async () => {
    const response = await fetch(`${http.address}/api/v1/stats.watch`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
  });

  test("over the socket; a client that breaks off ends it", async () => {
    const socket = await AdminSocket.open({
      broker: fixture.broker,
      logger,
      dataFolder: folder,
      runtime: folder,
      admin,
    });
    const client = new AdminClient({ socket: socket.path });
    const watching = watchers();
    fixture.broker.retain("t", "x");
    for await (const line of client.stream("messages.watch", { filter: "t" })) {
      expect(JSON.parse(line)).toMatchObject({ topic: "t" });
      expect(watching.count).toBe(1);
      break;
    }
    await vi.waitFor(() => expect(watching.count).toBe(0));
    await socket.close();
  });
});
