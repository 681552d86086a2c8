import { authAnonymous } from "@wrenmq/auth-anonymous";
import { createBroker } from "@wrenmq/broker";
import { encode, type Packet, PacketDecoder } from "@wrenmq/codec";
import { memoryPair } from "@wrenmq/transport/memory";

await using broker = createBroker({ listeners: { inside: { type: "external" } }, plugins: [authAnonymous()] });
await broker.start();

const [client, server] = memoryPair();
const decoder = new PacketDecoder({ version: 5 });
const greeted = new Promise<void>((resolve) => {
  const send = (packet: Packet) => client.write(encode(packet, 5));
  const plain = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const answer = (packet: Packet): void => {
    console.log(packet.type);
    if (packet.type === "connack") {
      send({ type: "subscribe", packetId: 1, subscriptions: [{ topicFilter: "greetings", qos: 0, ...plain }] });
    }
    if (packet.type === "suback") broker.publish("greetings", "hello, neighbour");
    if (packet.type === "publish") {
      console.log(new TextDecoder().decode(packet.payload));
      resolve();
    }
  };
  client.attach({
    data: (chunk) => {
      for (const packet of decoder.push(chunk)) answer(packet);
    },
    drain() {},
    closed() {},
  });
  broker.accept(server, { listener: "inside" });
  send({ type: "connect", protocolVersion: 5, clientId: "neighbour", cleanStart: true, keepAlive: 0 });
});
await greeted;
