// Clients that people use, against the command as people run it.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startBroker } from "./support/broker-process.ts";
import { makeCertificate } from "./support/certificate.ts";
import { runProgram } from "./support/command.ts";
import { temporaryFolder } from "./support/folder.ts";

const VERSIONS = [
  ["3.1", 3],
  ["3.1.1", 4],
  ["5", 5],
] as const;
const LEVELS = [0, 1, 2] as const;

/** tcp, tls, ws and wss, everyone may connect. Returns the broker and the file of its certificate. */
async function everyWay() {
  const folder = await temporaryFolder();
  const { certificate, key } = await makeCertificate(folder);
  const tls = `tls: { certificate_file: ${certificate}, key_file: ${key} }`;
  const file = join(folder, "wrenmq.yaml");
  const lines = [
    "listeners:",
    "  plain: { bind: 127.0.0.1:0 }",
    `  secure: { type: tls, bind: 127.0.0.1:0, ${tls} }`,
    "  web: { type: ws, bind: 127.0.0.1:0, path: /mqtt }",
    `  secure-web: { type: wss, bind: 127.0.0.1:0, path: /mqtt, ${tls} }`,
    "plugins:",
    "  anonymous: {}",
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  return { broker: startBroker(["-c", file]), certificate };
}

async function connected(url: string, options: mqtt.IClientOptions): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, rejectUnauthorized: false, ...options });
  onTestFinished(() => void client.end(true));
  return client;
}

describe.each(["plain", "secure", "web", "secure-web"])("MQTT.js over %s", (listener) => {
  test.each(VERSIONS)("version %s: QoS 0, 1 and 2, a will, a retained message", async (_version, protocolVersion) => {
    const { broker } = await everyWay();
    const address = await broker.address(listener);
    const url = new URL(listener.endsWith("web") && !address.endsWith("/mqtt") ? `${address}/mqtt` : address).href;
    const version = protocolVersion === 3 ? { protocolVersion, protocolId: "MQIsdp" as const } : { protocolVersion };
    const will = { topic: "wills/a", payload: Buffer.from("gone"), qos: 1 as const, retain: false };
    const publisher = await connected(url, { ...version, will });
    await publisher.publishAsync("kept/a", "kept", { qos: 1, retain: true });
    const subscriber = await connected(url, version);
    const received: string[] = [];
    const all = new Promise<void>((resolve) => {
      subscriber.on("message", (topic, payload, { qos, retain }) => {
        received.push(`${topic} ${payload} ${qos} ${retain}`);
        if (topic === "kept/a")
          for (const level of LEVELS) publisher.publish(`t/${level}`, `m${level}`, { qos: level });
        if (received.length === 4) publisher.stream.destroy();
        if (received.length === 5) resolve();
      });
    });
    await subscriber.subscribeAsync({ "t/#": { qos: 2 }, "kept/+": { qos: 1 }, "wills/#": { qos: 2 } });
    await all;
    expect(received.toSorted()).toEqual([
      "kept/a kept 1 true",
      "t/0 m0 0 false",
      "t/1 m1 1 false",
      "t/2 m2 2 false",
      "wills/a gone 1 false",
    ]);
  });
});

const mosquitto = existsSync("/usr/bin/mosquitto_pub") && existsSync("/usr/bin/mosquitto_sub");
if (!mosquitto) process.stderr.write("notice: tests with mosquitto_pub and mosquitto_sub are skipped: not installed\n");

describe.skipIf(!mosquitto)("mosquitto_pub and mosquitto_sub", () => {
  test.each(["mqttv31", "mqttv311", "mqttv5"])("%s: QoS 0, 1 and 2", async (version) => {
    const { broker } = await everyWay();
    const words = ["-h", "127.0.0.1", "-p", String(await broker.port("plain")), "-V", version];
    for (const qos of LEVELS) {
      const published = await runProgram("mosquitto_pub", [
        ...words,
        "-q",
        String(qos),
        "-r",
        "-t",
        `m/${qos}`,
        "-m",
        `v${qos}`,
      ]);
      expect(published).toMatchObject({ code: 0, stderr: "" });
    }
    const { code, stdout } = await runProgram("mosquitto_sub", [
      ...words,
      "-q",
      "2",
      "-t",
      "m/#",
      "-C",
      "3",
      "-F",
      "%t %q %r %p",
    ]);
    expect(code).toBe(0);
    expect(stdout.trim().split("\n").toSorted()).toEqual(["m/0 0 1 v0", "m/1 1 1 v1", "m/2 2 1 v2"]);
  });

  test("over TLS, with the certificate verified", async () => {
    const { broker, certificate } = await everyWay();
    const port = String(await broker.port("secure"));
    const words = ["-h", "127.0.0.1", "-p", port, "--cafile", certificate, "-t", "a", "-q", "1"];
    expect(await runProgram("mosquitto_pub", [...words, "-r", "-m", "secret"])).toMatchObject({ code: 0, stderr: "" });
    expect((await runProgram("mosquitto_sub", [...words, "-C", "1"])).stdout).toBe("secret\n");
  });
});

const PYTHON = ["/usr/bin/python3", "python3"];
/** Subscribes, publishes at QoS 0, 1, 2 and prints what comes back. */
const PAHO_SCRIPT = `
import sys, paho.mqtt.client as mqtt
port, version = int(sys.argv[1]), int(sys.argv[2])
got = []
def on_connect(c, *_): c.subscribe([("p/0", 0), ("p/1", 1), ("p/2", 2)] if version != 5 else [("p/" + str(q), mqtt.SubscribeOptions(qos=q)) for q in range(3)])
def on_subscribe(c, *_):
    for q in range(3): c.publish("p/%d" % q, "x%d" % q, qos=q)
def on_message(c, u, m):
    got.append("%s %s %d" % (m.topic, m.payload.decode(), m.qos))
    if len(got) == 3: c.disconnect()
try: c = mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, "paho", protocol=version)
except AttributeError: c = mqtt.Client("paho", protocol=version)
c.on_connect, c.on_subscribe, c.on_message = on_connect, on_subscribe, on_message
c.connect("127.0.0.1", port)
c.loop_forever()
print("\\n".join(sorted(got)))
`;

describe("Paho for Python", () => {
  let python: string | undefined;
  beforeAll(async () => {
    for (const program of PYTHON) {
      const { code } = await runProgram(program, ["-c", "import paho.mqtt.client"]).catch(() => ({ code: 1 }));
      if (code !== 0) continue;
      python = program;
      return;
    }
    process.stderr.write("notice: the tests with Paho are skipped: python3-paho-mqtt is not installed\n");
  });

  test.for(VERSIONS)("version %s: QoS 0, 1 and 2", async ([, protocol], { skip }) => {
    if (python === undefined) return skip("python3-paho-mqtt is not installed");
    const { broker } = await everyWay();
    const done = await runProgram(python, ["-c", PAHO_SCRIPT, String(await broker.port("plain")), String(protocol)]);
    expect(done).toEqual({ code: 0, stdout: "p/0 x0 0\np/1 x1 1\np/2 x2 2\n", stderr: expect.any(String) as string });
  });
});
