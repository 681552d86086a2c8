import { decode, encode, type Packet, PacketDecoder, type ProtocolVersion } from "@wrenmq/codec";
import { describe, expect, test } from "vitest";
import { acks, longAcks } from "./vectors/acks.ts";
import { connack } from "./vectors/connack.ts";
import { connect } from "./vectors/connect.ts";
import { auth, disconnect } from "./vectors/disconnect.ts";
import { pings, publish } from "./vectors/publish.ts";
import { suback, subscribe } from "./vectors/subscribe.ts";
import { fromHex, toHex, type Vector } from "./vectors/vector.ts";

const vectors: readonly Vector[] = [
  ...connect,
  ...connack,
  ...publish,
  ...pings,
  ...acks,
  ...longAcks,
  ...subscribe,
  ...suback,
  ...disconnect,
  ...auth,
];
const names: Readonly<Record<ProtocolVersion, string>> = { 3: "MQTT 3.1", 4: "MQTT 3.1.1", 5: "MQTT 5.0" };

/** The packets that come out when the bytes go in as two chunks, cut at every place, and as one-byte chunks. */
function everySplit(bytes: Uint8Array, version: ProtocolVersion): Packet[][] {
  const cuts = Array.from(bytes, (_, at) => [bytes.slice(0, at), bytes.slice(at)]);
  cuts.push(Array.from(bytes, (_, at) => bytes.slice(at, at + 1)));
  return cuts.map((chunks) => {
    const decoder = new PacketDecoder({ version });
    return chunks.flatMap((chunk) => decoder.push(chunk));
  });
}

for (const version of [3, 4, 5] as const) {
  describe(names[version], () => {
    for (const { name, versions, hex, packet, alsoDecodes = [] } of vectors) {
      if (!versions.includes(version)) continue;
      // Ids in the names of vectors are those of their last version; MQTT 3.1 has none.
      const title = version === 3 ? name.replaceAll(/\[MQTT-[^\]]*\] /g, "") : name;
      const bytes = fromHex(hex);

      test(`${title}: decode, encode, round trip, every split`, () => {
        const decoded = decode(bytes, version);
        expect(decoded).toStrictEqual(packet);
        expect(toHex(encode(packet, version))).toBe(toHex(bytes));
        expect(toHex(encode(decoded, version))).toBe(toHex(bytes));
        for (const packets of everySplit(bytes, version)) expect(packets).toStrictEqual([packet]);
        for (const other of alsoDecodes) expect(decode(fromHex(other), version)).toStrictEqual(packet);
      });
    }
  });
}

test("every vector of a version in one stream, cut into chunks of seven bytes", () => {
  for (const version of [3, 4, 5] as const) {
    const those = vectors.filter(({ versions }) => versions.includes(version));
    const stream = fromHex(those.map(({ hex }) => hex).join(""));
    const decoder = new PacketDecoder({ version });
    const packets: Packet[] = [];
    for (let at = 0; at < stream.length; at += 7) packets.push(...decoder.push(stream.slice(at, at + 7)));
    expect(packets).toStrictEqual(those.map(({ packet }) => packet));
    expect(decoder.pending).toBe(0);
  }
});
