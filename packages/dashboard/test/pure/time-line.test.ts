// The time line of a trace: the words of the command line, groups, what is looked for, file names.
import { headerText, type TraceHeader, type TraceRecord } from "@wrenmq/admin/trace";
import { describe, expect, test } from "vitest";
import { TimeLine, traceFileName } from "../../web/pure/time-line.ts";

const HEADER: TraceHeader = {
  kind: "header",
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  version: 1,
  broker: "0.1.0",
  client: "meter/7",
  seconds: 60,
  payloads: false,
  maxBytes: 1_000,
  limits: {},
};
const message = { topic: "plant/1", qos: 1, retain: false, publisher: "meter/7", payload: { length: 4 } };
const RECORDS = [
  { kind: "state", client: "meter/7", connected: true, connection: 1, subscriptions: [], queued: 0, inflight: 0 },
  { kind: "packet", client: "meter/7", connection: 1, direction: "in", packet: { type: "pingreq" } },
  { kind: "authorize", client: "meter/7", action: "publish", topic: "plant/1", reasonCode: 0 },
  { kind: "authorize", client: "meter/7", action: "publish", topic: "Secret", reasonCode: 0x87, rule: "line 9" },
  { kind: "explain", client: "meter/7", action: "publish", topic: "Secret", opinions: [] },
  { kind: "routed", message, sessions: 1, groups: 0, peers: 0 },
  { kind: "delivered", client: "r", message, qos: 1, retain: false, waited: false },
  { kind: "queued", client: "q", message, qos: 1, retain: false, length: 1 },
  { kind: "dropped", client: "d", side: "subscriber", message, reason: "queueFull" },
  { kind: "refused", client: "x", connection: 2, reasonCode: 0x87 },
  { kind: "disconnected", client: "meter/7", connection: 1, reasonCode: 0 },
  { kind: "lost", records: 3 },
  { kind: "end", reason: "time", records: 12 },
].map((record, index) => ({ at: HEADER.at + index * 500, ...record })) as unknown as readonly TraceRecord[];

const text = [HEADER, ...RECORDS].map((line) => `${JSON.stringify(line)}\n`).join("");

function whole(): TimeLine {
  const line = new TimeLine();
  // In pieces that end anywhere.
  for (let at = 0; at < text.length; at += 37) line.push(text.slice(at, at + 37));
  line.end();
  return line;
}

describe("a time line", () => {
  test("has every line with its time, in words, whatever pieces it came in", () => {
    const line = whole();
    expect(line.title).toBe(headerText(HEADER));
    expect(line.size).toBe(text.length);
    expect(line.entries).toHaveLength(RECORDS.length);
    expect(line.entries.map(({ number }) => number)).toEqual(RECORDS.map((_, index) => index));
    expect(line.entries[1]).toMatchObject({ seconds: "0.500", text: "meter/7 #1 → PINGREQ", group: "packet" });
    expect(line.entries[3]?.text).toContain("refused with 0x87 Not authorized (line 9)");
  });

  test("counts its groups; a refusal is a loss", () => {
    expect(whole().counts()).toEqual({ packet: 2, decision: 2, message: 3, loss: 4, other: 2 });
  });

  test("finds lines of a group, and those with a text, whatever its case", () => {
    const line = whole();
    expect(line.found("all", "")).toBe(line.entries);
    expect(line.found("loss", "").map(({ record }) => record.kind)).toEqual([
      "authorize",
      "dropped",
      "refused",
      "lost",
    ]);
    expect(line.found("all", "secret").map(({ number }) => number)).toEqual([3, 4]);
    expect(line.found("decision", "SECRET").map(({ number }) => number)).toEqual([4]);
    expect(line.found("packet", "secret")).toEqual([]);
  });

  test("that is none says which line is wrong", () => {
    expect(() => new TimeLine().push("hello\n")).toThrow(/^line 1: this is no trace/);
    const cut = new TimeLine();
    cut.push(text.slice(0, -10));
    expect(() => cut.end()).toThrow(/^line 14: it is cut off/);
    expect(new TimeLine().title).toBe("");
  });
});

test("a file's name has no character that a file system could mind", () => {
  expect(traceFileName(HEADER)).toBe("meter-7-2026-01-02-030405.trace");
  const { client: _client, ...rest } = HEADER;
  expect(traceFileName({ ...rest, topic: "../+/été#" })).toBe("été-2026-01-02-030405.trace");
  expect(traceFileName({ ...rest, topic: "#" })).toBe("trace-2026-01-02-030405.trace");
  expect(traceFileName({ ...HEADER, client: "x".repeat(500) })).toHaveLength(60 + 1 + 17 + 6);
});
