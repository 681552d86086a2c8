// Topics that the table does not keep borrow the bytes of the packet in which they came, and the next packet lies there.
import { encode, encodeUtf8, type Packet } from "@wrenmq/codec";
import { expect, test } from "vitest";
import { type Message, PUBLISH_PARKED } from "../src/index.ts";
import { type DrivenConnection, MachineDriver, type MachineOptions } from "./support/machine.ts";

/** A client whose packets all lie in the same place, and a table in which there is no place for topics that come once. */
function client(options: MachineOptions = {}): { connection: DrivenConnection; send: (packet: Packet) => void } {
  const driver = new MachineDriver({ capabilities: { topicAliasMaximum: 10 }, ...options });
  for (let index = 0; index < 5_000; index++) {
    const name = encodeUtf8(`others/${index}`);
    driver.topics.read(name, 0, name.length);
  }
  const connection = driver.open();
  const area = new Uint8Array(4_096);
  const send = (packet: Packet): void => {
    const bytes = encode(packet, 5);
    area.set(bytes);
    connection.machine.receive(area, 0, bytes.length, driver.now);
    area.fill(0x78);
  };
  send({ type: "connect", protocolVersion: 5, clientId: "c", cleanStart: true, keepAlive: 0 });
  return { connection, send };
}

function publish(topic: string, topicAlias?: number): Packet {
  const properties = topicAlias === undefined ? {} : { topicAlias };
  return { type: "publish", topic, payload: encodeUtf8("x"), qos: 0, retain: false, dup: false, properties };
}

function topicsOf({ effects }: DrivenConnection): string[] {
  return effects.flatMap((effect) => (effect.what === "publish" ? [effect.topic] : []));
}

test("a topic is not taken for the last one because it lies in the same place", () => {
  const { connection, send } = client();
  const names = ["a/1", "b/2", "a/1", "c/3", "c/3", "a/1"];
  for (const name of names) send(publish(name));
  expect(topicsOf(connection)).toEqual(names);
});

test("a topic alias stands for the name with which it was set, whatever came after it", () => {
  const written: string[] = [];
  const { send } = client({
    // The bytes that go out: a string that was asked for before stays what it was.
    publish: ({ target }) => {
      const bytes = new Uint8Array(target.length);
      target.write(bytes, 0);
      written.push(String.fromCharCode(...bytes));
      return 0;
    },
  });
  send(publish("a/1", 1));
  send(publish("b/2", 2));
  send(publish("c/3"));
  send(publish("", 1));
  send(publish("", 2));
  expect(written).toEqual(["a/1", "b/2", "c/3", "a/1", "b/2"]);
});

test("a message that waits for its outcome keeps its topic", () => {
  const held: Message[] = [];
  const { send } = client({
    publish: (message) => {
      held.push(message);
      return PUBLISH_PARKED;
    },
  });
  send(publish("a/1"));
  expect(held.map(({ topic, payload }) => [topic, [...payload]])).toEqual([["a/1", [0x78]]]);
  expect(held[0]?.target.kept).toBe(true);
});
