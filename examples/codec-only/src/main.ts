import { decode, encode, PacketDecoder } from "@wrenmq/codec";

const payload = new TextEncoder().encode("21.5");
const bytes = encode({ type: "publish", topic: "room/1", payload, qos: 1, packetId: 7, retain: false, dup: false }, 5);
console.log(decode(bytes, 5)); // one whole packet

const decoder = new PacketDecoder({ version: 5 }); // a stream, cut anywhere
for (const chunk of [bytes.subarray(0, 3), bytes.subarray(3)]) console.log(decoder.push(chunk));
