// The frames of a WebSocket client whose session another worker serves: they are cut where the connection is.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encode, type Packet, PacketDecoder } from "@wrenmq/codec";
import mqtt from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { startBroker } from "../support/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { idAt, WORKERS } from "../support/workers.ts";
import { until } from "./site.ts";

const COUNT = 300;

test("with workers, each packet comes in a frame of its own at every worker, large ones too", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "wrenmq.yaml");
  const listeners = "listeners: { tcp: { bind: '127.0.0.1:0' }, ws: { type: ws, bind: '127.0.0.1:0' } }";
  await writeFile(file, `wrenmq: 1\n${listeners}\nplugins: { anonymous: }\n`);
  const broker = startBroker(["--workers", String(WORKERS), "-c", file]);
  const url = await broker.address("ws");
  // Whoever accepts a connection: of four clients of each home some are served by another worker.
  const clients = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const socket = new WebSocket(url, "mqtt");
      onTestFinished(() => socket.terminate());
      /** The packets of each message. */
      const messages: Packet["type"][][] = [];
      socket.on("message", (data: Buffer) => {
        const decoder = new PacketDecoder();
        const types = decoder.push(new Uint8Array(data)).map(({ type }) => type);
        messages.push(decoder.pending === 0 ? types : []);
      });
      await once(socket, "open");
      const clientId = idAt(index % WORKERS, `frames-${index}`);
      const subscription = {
        topicFilter: "burst",
        qos: 0,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      } as const;
      socket.send(encode({ type: "connect", protocolVersion: 4, clientId, cleanStart: true, keepAlive: 0 }));
      socket.send(encode({ type: "subscribe", packetId: 1, subscriptions: [subscription] }));
      await until(
        () => messages.length === 2,
        () => "SUBACK",
      );
      return messages;
    }),
  );
  const publisher = await mqtt.connectAsync(await broker.address("tcp"), { reconnectPeriod: 0 });
  onTestFinished(() => void publisher.end(true));
  for (let index = 0; index < COUNT; index++) {
    publisher.publish("burst", Buffer.alloc(index % 50 === 0 ? 100_000 : index), { qos: index % 100 === 99 ? 1 : 0 });
  }
  for (const messages of clients) {
    await until(
      () => messages.length === 2 + COUNT,
      () => `${messages.length} messages`,
    );
    expect(messages).toEqual([["connack"], ["suback"], ...Array.from({ length: COUNT }, () => ["publish"])]);
  }
});
