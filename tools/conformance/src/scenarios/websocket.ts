// MQTT over WebSocket: frames and subprotocol, with a client that makes every frame itself.
import { createBroker } from "@wrenmq/broker";
import { PacketDecoder } from "@wrenmq/codec";
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

/** Runs a conversation until `count` packets came or the server closed. */
async function converse(
  version: Version,
  count: number,
  say: (socket: WebSocket) => void,
): Promise<Seen & { protocol: string }> {
  const broker = createBroker({
    listeners: { door: { type: "ws", host: "127.0.0.1", port: 0 } },
    plugins: [pluginOf("test", { authenticate: () => true })],
    sys: { interval: 0 },
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
}
