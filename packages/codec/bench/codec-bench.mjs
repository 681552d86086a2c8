// Encodes and decodes small PUBLISH packets with this codec and with mqtt-packet, and prints how they compare.
// Run `pnpm build` first, then `node bench/codec-bench.mjs`.
import mqttPacket from "mqtt-packet";
import { decode, decodeBody, encode, FrameReader } from "../dist/index.js";

const payload = new Uint8Array(64).fill(0x61);
const theirPayload = Buffer.from(payload);
const topic = "sensors/building-7/temperature";
let sink = 0;

/** Millions of operations in a second: the median of seven runs of 200 ms. */
function measure(run) {
  const batch = 1000;
  for (let warm = 0; warm < 50; warm++) run(batch);
  const rates = [];
  for (let round = 0; round < 7; round++) {
    const start = process.hrtime.bigint();
    let done = 0;
    let elapsed = 0n;
    while (elapsed < 200_000_000n) {
      run(batch);
      done += batch;
      elapsed = process.hrtime.bigint() - start;
    }
    rates.push((done / Number(elapsed)) * 1e3);
  }
  return rates.sort((a, b) => a - b)[3];
}

function compare(name, ours, theirs) {
  const a = measure(ours);
  const b = measure(theirs);
  console.log(
    `${name.padEnd(30)} ${a.toFixed(2).padStart(7)} M/s  mqtt-packet ${b.toFixed(2).padStart(6)} M/s  ${(a / b).toFixed(1)}x`,
  );
}

const repeat = (operation) => (count) => {
  for (let n = 0; n < count; n++) operation();
};

function comparePacket(name, version, packet, theirPacket) {
  const options = { protocolVersion: version };
  const bytes = encode(packet, version);
  const buffer = Buffer.from(bytes);
  // mqtt-packet never shortens acknowledgements.
  if (packet.type === "publish" && buffer.compare(mqttPacket.generate(theirPacket, options)) !== 0) {
    throw new Error(`${name}: the bytes differ`);
  }
  const parser = mqttPacket.parser(options);
  parser.on("packet", (parsed) => {
    sink += parsed.length;
  });
  compare(
    `decode ${name}`,
    repeat(() => {
      sink += decode(bytes, version).type.length;
    }),
    repeat(() => parser.parse(buffer)),
  );
  compare(
    `encode ${name}`,
    repeat(() => {
      sink += encode(packet, version).length;
    }),
    repeat(() => {
      sink += mqttPacket.generate(theirPacket, options).length;
    }),
  );
}

for (const version of [4, 5]) {
  for (const qos of [0, 1]) {
    const flags = { qos, retain: false, dup: false };
    comparePacket(
      `PUBLISH QoS ${qos} v${version}`,
      version,
      { type: "publish", topic, payload, ...flags, ...(qos > 0 ? { packetId: 7 } : {}) },
      { cmd: "publish", topic, payload: theirPayload, ...flags, ...(qos > 0 ? { messageId: 7 } : {}) },
    );
  }
  comparePacket(
    `PUBACK v${version}`,
    version,
    { type: "puback", packetId: 7, reasonCode: 0 },
    { cmd: "puback", messageId: 7 },
  );
}
comparePacket(
  "PUBLISH with properties v5",
  5,
  {
    type: "publish",
    topic,
    payload,
    qos: 0,
    retain: false,
    dup: false,
    properties: { messageExpiryInterval: 60, contentType: "text/plain", userProperties: [["a", "b"]] },
  },
  {
    cmd: "publish",
    topic,
    payload: theirPayload,
    qos: 0,
    retain: false,
    dup: false,
    properties: { messageExpiryInterval: 60, contentType: "text/plain", userProperties: { a: "b" } },
  },
);

// What a broker reads from a socket: many packets in one chunk, an MQTT.js server has the same from mqtt-packet.
const one = encode({ type: "publish", topic, payload, qos: 0, retain: false, dup: false });
const count = 500;
const chunk = new Uint8Array(one.length * count);
for (let n = 0; n < count; n++) chunk.set(one, n * one.length);
const chunkBuffer = Buffer.from(chunk);
const frames = new FrameReader();
const parser = mqttPacket.parser({ protocolVersion: 4 });
parser.on("packet", (parsed) => {
  sink += parsed.length;
});
compare(
  `decode a chunk of ${count}`,
  (batch) => {
    for (let n = 0; n < batch; n += count) {
      frames.push(chunk, 0, chunk.length);
      while (frames.next()) {
        sink += decodeBody(frames.header, frames.bytes, frames.bodyStart, frames.bodyEnd, 4).type.length;
      }
    }
  },
  (batch) => {
    for (let n = 0; n < batch; n += count) parser.parse(chunkBuffer);
  },
);
if (sink === 0) console.log("nothing was done");
