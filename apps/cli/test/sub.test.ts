// `wrenmq sub` loses nothing that the broker keeps for it, and comes back after a broker that was restarted.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import mqtt from "mqtt";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBroker } from "./support/broker-process.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";
import { Subscriber } from "./support/subscriber.ts";

const VERSIONS = ["3.1.1", "5"] as const;
const LEVELS = [0, 1, 2] as const;
const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `${from + index}`);

async function publishAll(url: string, topic: string, qos: 0 | 1 | 2, messages: readonly string[]): Promise<void> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0 });
  await Promise.all(messages.map((message) => client.publishAsync(topic, message, { qos })));
  await client.endAsync();
}

describe.each(VERSIONS)("MQTT %s", (version) => {
  test.each([1, 2] as const)("QoS %s: what was queued is printed, all of it, and no more than --count", async (qos) => {
    const url = await startBroker(["-p", "0"]).address();
    const words = ["--url", url, "-V", version, "--no-clean-session", "-i", "s", "-q", String(qos), "-t", "a"];
    const first = new Subscriber(words);
    await first.subscribed();
    expect(await first.stop()).toBe(0);
    await publishAll(url, "a", qos, numbers(60));
    // 20 of 60: those that had come as well are not acknowledged, and come again.
    for (const from of [0, 20, 40]) {
      const some = new Subscriber([...words, "-n", "20"]);
      expect([await some.ended(), some.printed]).toEqual([0, numbers(20, from)]);
    }
  });

  test("a broker that restarts: QoS 0, 1 and 2, sessions that are kept and those that are not", async () => {
    const folder = await temporaryFolder();
    const client = join(folder, "client.yaml");
    await writeFile(client, "reconnect_retries: -1\nreconnect_max_interval: 1\n");
    const data = ["--data", join(folder, "data")];
    const before = startBroker(["-p", "0", ...data]);
    const port = await before.port();
    const url = `mqtt://127.0.0.1:${port}`;
    const kinds = LEVELS.flatMap((qos) => [true, false].map((isClean) => ({ qos, isClean })));
    const subscribers = kinds.map(({ qos, isClean }) => {
      const session = isClean ? [] : ["--no-clean-session"];
      const words = ["-V", version, "-c", client, "-i", `s-${qos}-${isClean}`, "-q", String(qos), "-t", `t/${qos}`];
      return new Subscriber(["--url", url, ...words, ...session]);
    });
    await Promise.all(subscribers.map((one) => one.subscribed()));
    for (const qos of LEVELS) await publishAll(url, `t/${qos}`, qos, ["before"]);
    await Promise.all(subscribers.map((one) => one.line("before")));
    await before.stop("SIGKILL");
    await startBroker(["-p", String(port), ...data]).address();
    // A session that was kept knows its subscriptions; the others subscribe again.
    const back = (one: Subscriber, index: number): Promise<void> =>
      kinds[index]?.isClean ? one.subscribed(2) : one.connected(2);
    await Promise.all(subscribers.map(back));
    for (const qos of LEVELS) await publishAll(url, `t/${qos}`, qos, ["after"]);
    const printed = await Promise.all(subscribers.map((one) => one.line("after")));
    // At QoS 1 the first may come twice: its PUBACK may have been too late.
    const once = printed.map((lines, index) => (kinds[index]?.qos === 1 ? [...new Set(lines)] : lines));
    expect(once).toEqual(kinds.map(() => ["before", "after"]));
    expect(await Promise.all(subscribers.map((one) => one.stop()))).toEqual(kinds.map(() => 0));
  }, 60_000);
});

/** A broker of which every packet is written here. `answers`: what comes for each packet of the client, by its type. */
async function scripted(answer: (type: number, packet: Buffer, socket: Socket, connection: number) => void) {
  const types: number[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    const connection = connections++;
    let rest = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + (rest[1] as number)) {
        const packet = rest.subarray(0, 2 + (rest[1] as number));
        rest = rest.subarray(packet.length);
        const type = (packet[0] as number) >> 4;
        types.push(type);
        answer(type, packet, socket, connection);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { port: (server.address() as { port: number }).port, types };
}

const CONNECT = 1;
const PUBACK = 4;
const PUBREC = 5;
const SUBSCRIBE = 8;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("against a broker of bytes", () => {
  test("a queued message that comes in one piece with CONNACK is printed before it is acknowledged", async () => {
    const { port, types } = await scripted((type, packet, socket) => {
      if (type === CONNECT) socket.write(hex("20020100  3206 0001 61 0007 78  3406 0001 61 0008 79"));
      if (type === SUBSCRIBE) socket.write(Buffer.concat([hex("9003"), packet.subarray(2, 4), hex("02")]));
    });
    const words = ["-p", String(port), "--no-clean-session", "-i", "s", "-q", "2", "-t", "a", "-n", "2"];
    const sub = new Subscriber(words);
    expect([await sub.ended(), sub.printed]).toEqual([0, ["x", "y"]]);
    expect(types).toContain(PUBACK);
    expect(types).toContain(PUBREC);
  });

  test("a message at QoS 2 that is sent again before PUBREL is printed once", async () => {
    const { port } = await scripted((type, packet, socket, connection) => {
      if (type === CONNECT) socket.write(hex(connection === 0 ? "20020000" : "20020100"));
      if (type === SUBSCRIBE) {
        socket.write(Buffer.concat([hex("9003"), packet.subarray(2, 4), hex("02"), hex("3406 0001 61 0008 79")]));
      }
      // The connection is lost with PUBREC; then the message comes again, is released, and another one follows.
      if (type === PUBREC && connection === 0) socket.destroy();
      if (type === CONNECT && connection > 0) socket.write(hex("3c06 0001 61 0008 79  6202 0008  3006 0001 61 656e64"));
    });
    const sub = new Subscriber(["-p", String(port), "--no-clean-session", "-i", "s", "-q", "2", "-t", "a", "-n", "2"]);
    expect([await sub.ended(), sub.printed]).toEqual([0, ["y", "end"]]);
  });

  test("a broker that refuses the subscription after a reconnect ends it", async () => {
    const { port } = await scripted((type, packet, socket, connection) => {
      if (type === CONNECT) socket.write(hex("20020000"));
      if (type !== SUBSCRIBE) return;
      socket.write(Buffer.concat([hex("9003"), packet.subarray(2, 4), hex(connection === 0 ? "00" : "80")]));
      if (connection === 0) socket.end();
    });
    const done = await runCommand(["sub", "-p", String(port), "-t", "a"]);
    expect(done).toEqual({ code: 1, stdout: "", stderr: "wrenmq: not subscribed: the broker refuses a\n" });
  });
});

test("--verbose prints the topic too", async () => {
  const url = await startBroker(["-p", "0"]).address();
  const sub = new Subscriber(["--url", url, "-v", "-t", "a/+", "-n", "1"]);
  await sub.subscribed();
  await publishAll(url, "a/b", 1, ["1 2"]);
  expect([await sub.ended(), sub.printed]).toEqual([0, ["a/b 1 2"]]);
});

test.each([
  [["-t", ""], '""'],
  [["-t", "a", "-t", "a#"], '"a#"'],
  [["-t", "$share/g"], '"$share/g"'],
])("sub %j is refused without a connection", async (words, shown) => {
  const { code, stderr } = await runCommand(["sub", "--url", "mqtt://127.0.0.1:1", ...words]);
  expect([code, stderr]).toEqual([2, `wrenmq: not a topic filter: ${shown}\n`]);
});
