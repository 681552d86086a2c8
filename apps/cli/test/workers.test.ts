// `wrenmq start --workers N` as processes: clients cannot tell it from one.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { describe, expect, onTestFinished, test } from "vitest";
import { type BrokerProcess, startBroker } from "./support/broker-process.ts";
import { makeCertificate } from "./support/certificate.ts";
import { runCommand } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";
import { connect, idAt, payloads, WORKERS } from "./support/workers.ts";

describe.each(["1", "0"])("raw sockets: %s", (raw) => {
  const start = (words: readonly string[] = []): BrokerProcess =>
    startBroker(["--workers", String(WORKERS), "-p", "0", ...words], { env: { WRENMQ_RAW_TCP: raw } });

  test("messages, takeover, sessions, retained and shared subscriptions across workers; SIGTERM ends all", async () => {
    const broker = start();
    const url = await broker.address();
    const clients = await Promise.all(
      Array.from({ length: 8 }, (_, index) => connect(url, { clientId: idAt(index % WORKERS, `c${index}`) })),
    );
    const heard = clients.map((client) => payloads(client));
    for (const client of clients) await client.subscribeAsync("all/#", { qos: 1 });
    for (const [index, client] of clients.entries()) await client.publishAsync(`all/${index}`, `${index}`, { qos: 2 });
    const everything = clients.map((_, index) => `${index}`);
    for (const messages of heard) expect((await messages.first(clients.length)).toSorted()).toEqual(everything);

    for (const client of clients) await client.subscribeAsync("$share/g/work", { qos: 1 });
    for (let index = 0; index < 16; index++) await clients[0]?.publishAsync("work", `w${index}`, { qos: 1 });
    await Promise.all(heard.map((messages) => messages.first(clients.length + 2)));
    expect(heard.flatMap((messages) => messages.all.slice(clients.length)).toSorted()).toEqual(
      Array.from({ length: 16 }, (_, index) => `w${index}`).toSorted(),
    );

    await clients[0]?.publishAsync("kept", "retained", { qos: 1, retain: true });
    for (const home of [0, 1]) {
      const late = await connect(url, { clientId: idAt(home, "late") });
      const messages = payloads(late);
      await late.subscribeAsync("kept");
      expect(await messages.first(1)).toEqual(["retained"]);
    }

    for (const home of [0, 1]) {
      const clientId = idAt(home, "same");
      const session = { clientId, clean: false };
      for (let round = 0; round < 4; round++) {
        const first = await connect(url, session);
        await first.subscribeAsync("q", { qos: 1 });
        const closed = new Promise<void>((resolve) => first.once("close", resolve));
        const second = await connect(url, session);
        await closed;
        await second.endAsync();
        await clients[1]?.publishAsync("q", `${round}`, { qos: 1 });
        const third = mqtt.connect(url, { ...session, reconnectPeriod: 0 });
        const messages = payloads(third);
        expect(await messages.first(1)).toEqual([`${round}`]);
        await third.endAsync();
      }
    }
    expect(await broker.stop()).toBe(0);
  });
});

test("TLS and WebSocket connections are relayed to their home", async () => {
  const folder = await temporaryFolder();
  const { certificate, key } = await makeCertificate(folder);
  const config = join(folder, "wrenmq.yaml");
  const text = `
wrenmq: 1
workers: 2
listeners:
  tls: { type: tls, bind: "127.0.0.1:0", tls: { certificate_file: ${certificate}, key_file: ${key} } }
  ws: { type: ws, bind: "127.0.0.1:0", path: /mqtt }
plugins:
  anonymous: {}
`;
  await writeFile(config, text);
  const broker = startBroker(["-c", config]);
  const urls = [await broker.address("tls"), await broker.address("ws")] as const;
  const clients: MqttClient[] = [];
  for (let index = 0; index < 12; index++) {
    const url = urls[index % 2] as string;
    clients.push(
      await connect(url, { clientId: idAt((index >> 1) % WORKERS, `r${index}`), rejectUnauthorized: false }),
    );
  }
  const heard = clients.map((client) => payloads(client));
  for (const client of clients) await client.subscribeAsync("all", { qos: 1 });
  const large = "x".repeat(700_000);
  for (const client of clients) await client.publishAsync("all", large, { qos: 1 });
  for (const messages of heard) {
    const received = await messages.first(clients.length);
    expect(received.every((message) => message === large)).toBe(true);
  }
  for (const client of clients) client.end(true);
  expect(await broker.stop()).toBe(0);
});

test("a worker that dies is started again; the others go on, and its durable sessions come back", async () => {
  const folder = await temporaryFolder();
  const words = ["--workers", "2", "-p", "0", "--data", join(folder, "data")];
  const broker = startBroker(words);
  const url = await broker.address();
  const sessions = [0, 1].map((home) => ({ clientId: idAt(home, "durable"), clean: false }));
  for (const session of sessions) {
    const client = await connect(url, session);
    await client.subscribeAsync("d/#", { qos: 1 });
    await client.endAsync();
  }
  const witness = await connect(url, { clientId: idAt(0, "witness") });
  const heard = payloads(witness);
  await witness.subscribeAsync("d/#", { qos: 1 });
  await witness.publishAsync("d/1", "before", { qos: 1 });
  await witness.publishAsync("d/kept", "kept", { qos: 1, retain: true });
  const victim = await broker.line((line) => line.msg === "listening" && line["worker"] === 1);
  process.kill(Number(victim["pid"]), "SIGKILL");
  await broker.line((line) => line.msg === "a worker ended; it is started again" && line["worker"] === 1);
  await witness.publishAsync("d/2", "after", { qos: 1 });
  expect(await heard.first(3)).toEqual(["before", "kept", "after"]);
  for (const session of sessions) {
    const client = mqtt.connect(url, { ...session, reconnectPeriod: 200 });
    onTestFinished(() => void client.end(true));
    expect(await payloads(client).first(3)).toEqual(["before", "kept", "after"]);
    await client.endAsync();
  }
  witness.end(true);
  expect(await broker.stop()).toBe(0);
});

test("with another number of workers the data are written anew, whatever the number", { timeout: 90_000 }, async () => {
  const folder = join(await temporaryFolder(), "data");
  const clientIds = Array.from({ length: 6 }, (_, index) => `session-${index}`);
  const first = startBroker(["-p", "0", "--data", folder]);
  for (const clientId of clientIds) {
    const client = await connect(await first.address(), { clientId, clean: false });
    await client.subscribeAsync(["all", clientId], { qos: 1 });
    await client.endAsync();
  }
  expect(await first.stop()).toBe(0);
  let round = 0;
  for (const workers of [3, 2, 1]) {
    const broker = startBroker(["--workers", String(workers), "-p", "0", "--data", folder]);
    const url = await broker.address();
    const publisher = await connect(url, { clientId: "publisher" });
    await publisher.publishAsync("all", `${++round}`, { qos: 1 });
    for (const clientId of clientIds) await publisher.publishAsync(clientId, `${clientId} ${round}`, { qos: 1 });
    await publisher.publishAsync("kept", `${round}`, { qos: 1, retain: round === 1 });
    await publisher.endAsync();
    expect(await broker.stop()).toBe(0);
    expect(broker.lines.some(({ msg }) => msg?.includes("written anew"))).toBe(true);
  }
  const checked = await runCommand(["store", "check", folder]);
  expect(checked).toMatchObject({ code: 0 });
  expect(checked.stdout).toContain(`sessions: ${clientIds.length}\n`);
  const last = startBroker(["--workers", "2", "-p", "0", "--data", folder]);
  const url = await last.address();
  for (const clientId of clientIds) {
    const client = mqtt.connect(url, { clientId, clean: false, reconnectPeriod: 0, protocolVersion: 4 });
    onTestFinished(() => void client.end(true));
    const wanted = [1, 2, 3].flatMap((number) => [`${number}`, `${clientId} ${number}`]);
    expect(await payloads(client).first(wanted.length)).toEqual(wanted);
    await client.endAsync();
  }
  const reader = await connect(url, { clientId: "reader" });
  const heard = payloads(reader);
  await reader.subscribeAsync("kept");
  expect(await heard.first(1)).toEqual(["1"]);
  expect((await runCommand(["store", "check", folder])).stderr).toMatch(/^wrenmq: .* holds the stores of 2 workers/m);
});

test("what keeps a worker from starting is said in one line", async () => {
  const other = startBroker(["-p", "0"]);
  const port = await other.port();
  const { code, stderr } = await runCommand(["--workers", "2", "-p", String(port), "--log-format", "json"]);
  expect(code).toBe(1);
  expect(stderr.split("\n").filter((line) => line.startsWith("wrenmq: "))).toHaveLength(1);
  expect(stderr).toContain(String(port));
  expect((await runCommand(["--workers", "none"])).code).toBe(2);
});
