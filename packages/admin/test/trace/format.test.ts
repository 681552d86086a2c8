// The format of a trace file, and how it is printed: pure, as a browser runs it.
import { readdirSync, readFileSync } from "node:fs";
import { encode, type Packet, PacketDecoder, ReasonCode } from "@wrenmq/codec";
import { describe, expect, test } from "vitest";
import {
  headerText,
  packetFacts,
  packetOf,
  packetWords,
  propertyName,
  readTrace,
  reasonName,
  recordText,
  recordWords,
  TraceError,
  TraceReader,
  type TraceRecord,
  tracedPacket,
} from "../../src/trace/index.ts";

const HEADER = {
  kind: "header",
  at: 1_000,
  version: 1,
  broker: "0.1.0",
  client: "c",
  seconds: 60,
  payloads: false,
  maxBytes: 1_024,
  limits: {},
};
const END = { kind: "end", at: 2_000, reason: "time", records: 0 };
const file = (...lines: unknown[]): string =>
  lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");

const packets: readonly Packet[] = [
  {
    type: "connect",
    protocolVersion: 5,
    clientId: "c",
    cleanStart: true,
    keepAlive: 60,
    username: "ada",
    password: Buffer.from("s"),
    will: { topic: "w", payload: Buffer.from("gone"), qos: 1, retain: true, properties: { willDelayInterval: 5 } },
    properties: { receiveMaximum: 10, userProperties: [["a", "b"]], authenticationMethod: "M" },
  },
  { type: "connack", sessionPresent: true, reasonCode: 0, properties: { topicAliasMaximum: 3 } },
  {
    type: "publish",
    topic: "t",
    payload: Buffer.from([0, 255]),
    qos: 2,
    retain: true,
    dup: false,
    packetId: 7,
    properties: { correlationData: Buffer.from("id"), subscriptionIdentifiers: [1, 2] },
  },
  { type: "pubrec", packetId: 7, reasonCode: 0x87, properties: { reasonString: "no" } },
  {
    type: "subscribe",
    packetId: 1,
    subscriptions: [{ topicFilter: "a/#", qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 }],
  },
  { type: "suback", packetId: 1, reasonCodes: [0, 2, 0x87] },
  { type: "unsubscribe", packetId: 2, topicFilters: ["a/#", "b"] },
  { type: "unsuback", packetId: 2, reasonCodes: [0, 0x11] },
  { type: "pingreq" },
  { type: "disconnect", reasonCode: 0x04, properties: { sessionExpiryInterval: 5 } },
  { type: "auth", reasonCode: 0x18, properties: { authenticationMethod: "M" } },
];

describe("packets", () => {
  test.each(packets.map((packet) => [packet.type, packet] as const))(
    "%s comes back from a trace with payloads as it was, but for secrets",
    (_type, packet) => {
      const bytes = encode(packet, 5);
      const [decoded] = new PacketDecoder({ version: 5 }).push(bytes);
      const json = JSON.stringify(tracedPacket(decoded as Packet, { payloads: true, most: 65_536 }));
      const again = encode(packetOf(JSON.parse(json) as ReturnType<typeof tracedPacket>), 5);
      const hidden = Buffer.from(bytes).toString("latin1").replace("\u0000\u0001s", "\u0000\u0001x");
      expect(Buffer.from(again).toString("latin1")).toBe(hidden);
    },
  );

  test("without payloads their sizes stay", () => {
    const [, , publish] = packets;
    const record = tracedPacket(publish as Packet, { payloads: false, most: 0 });
    expect(record).toMatchObject({ payload: { length: 2 }, properties: { correlationData: { length: 2 } } });
    expect(encode(packetOf(record), 5)).toHaveLength(encode(publish as Packet, 5).length);
  });
});

describe("names of the standard", () => {
  test("every reason code has one", () => {
    for (const code of Object.values(ReasonCode))
      expect(reasonName(code)).toMatch(/^0x[0-9A-F]{2} [A-Z][A-Za-z0-9 -]+$/);
    expect(reasonName(0x87)).toBe("0x87 Not authorized");
    expect(reasonName(0x9b)).toBe("0x9B QoS not supported");
    expect(reasonName(0)).toBe("0x00 Success");
    expect(reasonName(0, "suback")).toBe("0x00 Granted QoS 0");
    expect(reasonName(0, "disconnect")).toBe("0x00 Normal disconnection");
    expect(reasonName(0x19)).toBe("0x19 Re-authenticate");
    expect(reasonName(0x42)).toBe("0x42 unknown");
  });

  test("properties have theirs", () => {
    expect(propertyName("sessionExpiryInterval")).toBe("Session Expiry Interval");
    expect(propertyName("maximumQoS")).toBe("Maximum QoS");
  });
});

describe("a file", () => {
  test("is read in pieces of any size", () => {
    const text = file(HEADER, { kind: "lost", at: 1_500, records: 3 }, END);
    for (const size of [1, 7, 1_000]) {
      const reader = new TraceReader();
      const records: TraceRecord[] = [];
      for (let at = 0; at < text.length; at += size) records.push(...reader.push(text.slice(at, at + size)));
      reader.end();
      expect(records.map(({ kind }) => kind)).toEqual(["lost", "end"]);
      expect(reader.header?.broker).toBe("0.1.0");
    }
  });

  const packet = (one: object): object => ({
    kind: "packet",
    at: 1,
    client: "c",
    connection: 1,
    direction: "in",
    packet: one,
  });
  test.each([
    ["nothing", "", 1, /no trace/],
    ["something else", "hello\n", 1, /no trace/],
    ["a line of something else", '{"topic":"t"}\n', 1, /no trace/],
    ["another version", file({ ...HEADER, version: 2 }), 1, /version 2, this program reads version 1/],
    ["a header without limits", file({ ...HEADER, limits: 1 }), 1, /^line 1: limits: expected a object|limits/],
    ["no JSON", file(HEADER, "{"), 2, /not JSON/],
    ["cut off", file(HEADER, END).slice(0, -5), 2, /cut off/],
    ["an unknown kind", file(HEADER, { kind: "x", at: 1 }), 2, /kind: "x" is none of/],
    ["a name of Object", file(HEADER, { kind: "constructor", at: 1 }), 2, /kind/],
    ["no time", file(HEADER, { kind: "lost", records: 1 }), 2, /at: expected/],
    ["a packet that is none", file(HEADER, packet({ type: "x" })), 2, /packet: expected/],
    ["a payload without a length", file(HEADER, packet({ type: "publish", payload: {} })), 2, /packet: expected/],
    [
      "a length without end",
      file(HEADER, packet({ type: "publish", payload: { length: 1e12 } })),
      2,
      /length: expected/,
    ],
    ["a huge line", file(HEADER, `{"kind":"lost","at":1,"records":${"1".repeat(5_000_000)}}`), 2, /longer than/],
    ["a huge line without an end", `${file(HEADER)}${"x".repeat(5_000_000)}`, 2, /longer than/],
  ])("%s is one error with the number of the line", (_what, text, line, problem) => {
    let error: unknown;
    try {
      readTrace(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TraceError);
    expect((error as TraceError).line).toBe(line);
    expect((error as TraceError).message).toMatch(problem);
    expect((error as TraceError).message).not.toContain("\n");
  });
});

describe("a packet, part by part", () => {
  const facts = (type: Packet["type"]): [string, string][] => {
    const packet = packets.find((one) => one.type === type) as Packet;
    return packetFacts(tracedPacket(packet, { payloads: true, most: 100 }));
  };

  test("has its fields, its properties, and reason codes by their names", () => {
    expect(facts("connect")).toEqual([
      ["MQTT", "5.0"],
      ["Client Identifier", "c"],
      ["Clean Start", "yes"],
      ["Keep Alive", "60 s"],
      ["User Name", "ada"],
      ["Password", "(hidden)"],
      ["Will Topic", "w"],
      ["Will QoS", "1"],
      ["Will Retain", "yes"],
      ["Will Delay Interval", "5"],
      ["Will Payload", '4 bytes "gone"'],
      ["Receive Maximum", "10"],
      ["User Properties", "a = b"],
      ["Authentication Method", "M"],
    ]);
    expect(facts("publish")).toEqual([
      ["Topic", "t"],
      ["QoS", "2"],
      ["Retain", "yes"],
      ["DUP", "no"],
      ["Packet Identifier", "7"],
      ["Correlation Data", '2 bytes "id"'],
      ["Subscription Identifiers", "1 2"],
    ]);
    expect(facts("suback")).toEqual([
      ["Packet Identifier", "1"],
      ["Reason Code 1", "0x00 Granted QoS 0"],
      ["Reason Code 2", "0x02 Granted QoS 2"],
      ["Reason Code 3", "0x87 Not authorized"],
    ]);
    expect(facts("subscribe")).toEqual([
      ["Packet Identifier", "1"],
      ["Topic Filter 1", '"a/#" QoS 1, No Local, Retain As Published, Retain Handling 2'],
    ]);
    expect(facts("pubrec")).toContainEqual(["Reason Code", "0x87 Not authorized"]);
    expect(facts("pingreq")).toEqual([]);
  });

  test("escapes what could steer a terminal", () => {
    const packet = { type: "unsubscribe", packetId: 1, topicFilters: ["a\u001b[2J\u202e"] } as const;
    expect(packetFacts(packet)[1]).toEqual(["Topic Filter 1", '"a\\u001b[2J\\u202e"']);
    expect(packetWords(packet)).toBe('id 1  "a\\u001b[2J\\u202e"');
  });

  test("what happened can be said without the client", () => {
    const about = { at: 0, client: "c", connection: 1 } as const;
    expect(recordWords({ ...about, kind: "packet", direction: "out", packet: { type: "pingresp" } })).toBe(
      "← PINGRESP",
    );
    expect(recordWords({ ...about, kind: "refused", reasonCode: 0x86 })).toMatch(/^CONNECT refused with 0x86/);
    expect(recordText({ ...about, kind: "refused", reasonCode: 0x86 }, 0)).toMatch(/ {2}c #1 {3}CONNECT refused with/);
  });
});

describe("the time line", () => {
  test("says what each line is", () => {
    const message = { topic: "t", qos: 1, retain: false, publisher: "p", payload: { length: 3 } };
    const about = { at: 2_234, client: "c", connection: 3 } as const;
    const shown = (record: TraceRecord): string => recordText(record, 1_000);
    expect(headerText(HEADER as Parameters<typeof headerText>[0])).toBe(
      'WrenMQ 0.1.0, 1970-01-01T00:00:01.000Z: client "c", for 60 s, without payloads',
    );
    const texts = packets.map((one) =>
      shown({ kind: "packet", ...about, direction: "in", packet: tracedPacket(one, { payloads: false, most: 0 }) }),
    );
    expect(texts.map((text) => text.replace(/^ +1\.234 {2}c #3 → /, ""))).toEqual([
      'CONNECT  MQTT 5.0  client identifier "c"  clean start  keep alive 60 s  user name "ada"  password (hidden)  will "w" (QoS 1, retain, 4 bytes, Will Delay Interval 5)  Receive Maximum 10, User Properties "a"="b", Authentication Method "M"',
      "CONNACK  session present  0x00 Success  Topic Alias Maximum 3",
      'PUBLISH  "t"  payload 2 bytes  QoS 2  retain  id 7  Correlation Data 2 bytes, Subscription Identifiers 1 2',
      'PUBREC  id 7  0x87 Not authorized  Reason String "no"',
      'SUBSCRIBE  id 1  "a/#" QoS 1, No Local, Retain As Published, Retain Handling 2',
      "SUBACK  id 1  0x00 Granted QoS 0, 0x02 Granted QoS 2, 0x87 Not authorized",
      'UNSUBSCRIBE  id 2  "a/#", "b"',
      "UNSUBACK  id 2  0x00 Success, 0x11 No subscription existed",
      "PINGREQ",
      "DISCONNECT  0x04 Disconnect with Will Message  Session Expiry Interval 5",
      'AUTH  0x18 Continue authentication  Authentication Method "M"',
    ]);
    const records: readonly [TraceRecord, string][] = [
      [
        { kind: "authorize", at: 1_000, client: "c", action: "publish", topic: "t", reasonCode: 0x87, rule: "acl: no" },
        'c   may publish "t": refused with 0x87 Not authorized (acl: no)',
      ],
      [{ kind: "routed", at: 1_000, message, sessions: 0, groups: 0, peers: 0 }, "goes to nobody"],
      [
        { kind: "dropped", at: 1_000, client: "c", side: "subscriber", message, reason: "queueFull" },
        "dropped (queueFull)",
      ],
      [
        { kind: "queued", at: 1_000, client: "c", message, qos: 1, retain: false, length: 4 },
        "queued at QoS 1, 4 wait",
      ],
      [
        { kind: "delivered", at: 1_000, client: "c", message, qos: 0, retain: true, waited: true },
        "from the queue at QoS 0",
      ],
    ];
    for (const [record, text] of records) expect(shown(record)).toContain(text);
  });

  test("what clients choose cannot steer a terminal, or begin a line", () => {
    const packet = {
      type: "publish",
      topic: "a\u001b[2J\nb\u202e",
      payload: { length: 0 },
      qos: 0,
      retain: false,
      dup: false,
    };
    const text = recordText(
      { kind: "packet", at: 0, client: "c\u001b\n", connection: 1, direction: "out", packet: packet as never },
      0,
    );
    expect(text).not.toMatch(/[\p{C}]/u);
  });
});

test("nothing of Node is in it: a browser can import it", () => {
  const folder = new URL("../../src/trace/", import.meta.url);
  for (const name of readdirSync(folder)) {
    const text = readFileSync(new URL(name, folder), "utf8");
    expect(text).not.toMatch(/node:|\bBuffer\b|\bprocess\b/);
    for (const [, from] of text.matchAll(/from "([^"]+)"/g)) expect(from).toMatch(/^(\.\/|@wrenmq\/codec$)/);
  }
});
