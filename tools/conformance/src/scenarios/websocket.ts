// MQTT over WebSocket: frames and subprotocol, with a client that makes every frame itself.
import { once } from "node:events";
import { createBroker } from "@wrenmq/broker";
import { encode, PacketDecoder } from "@wrenmq/codec";
import { hex, pluginOf } from "@wrenmq/testkit";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Version } from "../world.ts";

const CONNECT = {
  4: "10 0d 00 04 'MQTT' 04 02 00 00 00 01 'w'",
  5: "10 0e 00 04 'MQTT' 05 02 00 00 00 00 01 'w'",
} as const;
const SUBSCRIBE = { 4: "82 06 00 01 00 01 'a' 00", 5: "82 07 00 01 00 00 01 'a' 00" } as const;

interface Seen {
  readonly types: string[];
  readonly binary: boolean[];
}

/** Sends and receives until `count` packets have arrived or the server has closed. */
async function converse(
  version: Version,
  count: number,
  say: (socket: WebSocket) => void,
): Promise<Seen & { protocol: string }> {
  const broker = createBroker({
    listeners: { door: { type: "ws", host: "127.0.0.1", port: 0 } },
    plugins: [pluginOf("test", { authenticate: () => true })],
    sys: { intervalSeconds: 0 },
  });
  await broker.start();
  const socket = new WebSocket(`ws://127.0.0.1:${broker.port("door")}`, ["other", "mqtt"]);
  const decoder = new PacketDecoder({ version });
  const seen: Seen & { protocol: string } = { types: [], binary: [], protocol: "" };
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("open", () => {
      seen.protocol = socket.protocol;
      say(socket);
    });
    socket.on("message", (data: Buffer, isBinary) => {
      seen.binary.push(isBinary);
      seen.types.push(...decoder.push(new Uint8Array(data)).map(({ type }) => type));
      if (seen.types.length >= count) resolve();
    });
  });
  socket.terminate();
  await broker.shutdown();
  return seen;
}

const CONNECT_LASTING = {
  4: "10 0d 00 04 'MQTT' 04 00 00 00 00 01 'w'",
  5: "10 13 00 04 'MQTT' 05 00 00 00 05 11 00 00 00 3c 00 01 'w'",
} as const;
const SUBSCRIBE_AT_1 = { 4: "82 06 00 01 00 01 'a' 01", 5: "82 07 00 01 00 00 01 'a' 01" } as const;

/** Connects with a session that lasts. @returns the packets in each message until `count` messages came */
async function messages(version: Version, port: number, count: number, say: string): Promise<string[][]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, "mqtt");
  const seen: string[][] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed")));
    socket.on("open", () => socket.send(hex(`${CONNECT_LASTING[version]} ${say}`)));
    socket.on("message", (data: Buffer) => {
      const decoder = new PacketDecoder({ version });
      const types = decoder.push(new Uint8Array(data)).map(({ type }) => type);
      seen.push(decoder.pending === 0 ? types : [...types, "a part"]);
      if (seen.length === count) resolve();
    });
  });
  socket.removeAllListeners("close").terminate();
  return seen;
}

export function webSocketTests(version: Version): void {
  test("[MQTT-6.0.0-1] [MQTT-6.0.0-4] frames of the server are binary, and the subprotocol is mqtt", async () => {
    const { types, binary, protocol } = await converse(version, 2, (socket) => {
      socket.send(hex(CONNECT[version]));
      socket.send(hex("c0 00"));
    });
    expect(types).toEqual(["connack", "pingresp"]);
    expect(binary.every((one) => one)).toBe(true);
    expect(protocol).toBe("mqtt");
  });

  test("[MQTT-6.0.0-1] a text frame ends the connection", async () => {
    const { types } = await converse(version, 99, (socket) => {
      socket.send(hex(CONNECT[version]));
      socket.send("c0 00");
    });
    expect(types.filter((type) => type === "pingresp")).toEqual([]);
  });

  test("[MQTT-6.0.0-2] a frame may hold one byte, or several packets", async () => {
    const pieces = await converse(version, 2, (socket) => {
      for (const byte of hex(`${CONNECT[version]} ${SUBSCRIBE[version]}`)) socket.send(Uint8Array.of(byte));
    });
    expect(pieces.types).toEqual(["connack", "suback"]);
    const whole = await converse(version, 3, (socket) => {
      socket.send(hex(`${CONNECT[version]} ${SUBSCRIBE[version]} c0 00`));
    });
    expect(whole.types).toEqual(["connack", "suback", "pingresp"]);
  });

  test("[MQTT-6.0.0-2] each packet of the server comes in a frame of its own: a burst, and what waited in a session", async () => {
    const broker = createBroker({
      listeners: { door: { type: "ws", host: "127.0.0.1", port: 0 } },
      plugins: [pluginOf("test", { authenticate: () => true })],
      sys: { intervalSeconds: 0 },
    });
    await broker.start();
    const port = broker.port("door") as number;
    const first = await messages(version, port, 2, SUBSCRIBE_AT_1[version]);
    expect(first).toEqual([["connack"], ["suback"]]);
    // Some are larger than what one write copies.
    for (let index = 0; index < 300; index++) {
      broker.publish("a", Buffer.alloc(index % 100 === 0 ? 40_000 : index), { qos: 1 });
    }
    const again = await messages(version, port, 301, "");
    expect(again).toEqual([["connack"], ...Array.from({ length: 300 }, () => ["publish"])]);
    await broker.shutdown();
  });

  test("a packet as large as CONNACK announces is taken in one message, two of them in one message too", async () => {
    const largest = 2_000_000;
    const broker = createBroker({
      listeners: { door: { type: "ws", host: "127.0.0.1", port: 0 } },
      limits: { maximumPacketSize: largest },
      plugins: [pluginOf("test", { authenticate: () => true })],
      sys: { intervalSeconds: 0 },
    });
    await broker.start();
    const socket = new WebSocket(`ws://127.0.0.1:${broker.port("door")}`, "mqtt");
    const decoder = new PacketDecoder({ version });
    const types: string[] = [];
    const publish = encode(
      {
        type: "publish",
        topic: "a",
        payload: new Uint8Array(largest - (version === 5 ? 10 : 9)),
        qos: 1,
        retain: false,
        dup: false,
        packetId: 1,
      },
      version,
    );
    expect(publish.length).toBe(largest);
    const ended = new Promise<void>((resolve) => {
      socket.on("close", () => resolve());
      socket.on("message", (data: Buffer) => {
        types.push(...decoder.push(new Uint8Array(data)).map(({ type }) => type));
        if (types.length === 4) resolve();
      });
    });
    socket.on("open", () => {
      socket.send(hex(CONNECT[version]));
      socket.send(publish);
      socket.send(Buffer.concat([publish, publish]));
    });
    await ended;
    expect(types).toEqual(["connack", "puback", "puback", "puback"]);
    socket.terminate();
    await broker.shutdown();
  });

  test.runIf(version === 5)("a bound on messages is announced as one on packets", async () => {
    const broker = createBroker({
      listeners: {
        small: { type: "ws", host: "127.0.0.1", port: 0, websocket: { maxPayload: 1000 } },
        large: {
          type: "ws",
          host: "127.0.0.1",
          port: 0,
          websocket: { maxPayload: 5000 },
          limits: { maximumPacketSize: 3000 },
        },
      },
      plugins: [pluginOf("test", { authenticate: () => true })],
      sys: { intervalSeconds: 0 },
    });
    await broker.start();
    const announced = async (name: string): Promise<number | undefined> => {
      const socket = new WebSocket(`ws://127.0.0.1:${broker.port(name)}`, "mqtt");
      socket.on("open", () => socket.send(hex(CONNECT[5])));
      const [data] = (await once(socket, "message")) as [Buffer];
      socket.terminate();
      const [connack] = new PacketDecoder({ version: 5 }).push(new Uint8Array(data));
      return connack?.type === "connack" ? connack.properties?.maximumPacketSize : undefined;
    };
    expect([await announced("small"), await announced("large")]).toEqual([1000, 3000]);
    broker.updateListener("small", { limits: { maximumPacketSize: 900 } });
    expect(await announced("small")).toBe(900);
    broker.updateListener("small", {});
    expect(await announced("small")).toBe(1000);
    await broker.shutdown();
  });
}
