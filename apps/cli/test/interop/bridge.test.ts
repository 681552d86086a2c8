// A Mosquitto that bridges to the broker with the settings that it has by itself, and what is lost when either is killed.
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import mqtt, { type MqttClient } from "mqtt";
import { describe, expect, onTestFinished, test } from "vitest";
import { BrokerProcess } from "../support/broker-process.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort, isInstalled, until } from "./site.ts";

const MOSQUITTO = "/usr/sbin/mosquitto";
const isHere = isInstalled(MOSQUITTO, "mosquitto");

/** Two brokers at fixed addresses that can be killed and started again. */
class Pair {
  readonly ports: { readonly here: number; readonly there: number };
  readonly #folder: string;
  #here: BrokerProcess | undefined;
  #there: ChildProcess | undefined;

  private constructor(folder: string, ports: Pair["ports"]) {
    this.#folder = folder;
    this.ports = ports;
    onTestFinished(async () => {
      await this.killThere();
      await this.killHere();
    });
  }

  static async make(settings: readonly string[] = []): Promise<Pair> {
    const pair = new Pair(await temporaryFolder(), { here: await freePort(), there: await freePort() });
    await mkdir(join(pair.#folder, "mosquitto"));
    const lines = [
      `listener ${pair.ports.there} 127.0.0.1`,
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${join(pair.#folder, "mosquitto")}/`,
      // Written at once: it is going to be killed.
      "autosave_on_changes true",
      "autosave_interval 1",
      ...(process.getuid?.() === 0 ? ["user root"] : []),
      "connection wrenmq",
      `address 127.0.0.1:${pair.ports.here}`,
      "topic out/# out 1",
      "topic in/# in 1",
      "topic both/# both 2",
      // A session that lasts, and not half a minute until the next try.
      "cleansession false",
      "restart_timeout 1",
      ...settings,
    ];
    await writeFile(join(pair.#folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
    return pair;
  }

  async startHere(): Promise<void> {
    const file = join(this.#folder, "wrenmq.yaml");
    const lines = [
      "wrenmq: 1",
      `listeners: { default: { bind: "127.0.0.1:${this.ports.here}" } }`,
      "plugins: { anonymous: }",
      "store: { path: ./data }",
    ];
    await writeFile(file, `${lines.join("\n")}\n`);
    this.#here = new BrokerProcess(["-c", file]);
    await this.#here.address();
  }

  async killHere(): Promise<void> {
    await this.#here?.stop("SIGKILL");
  }

  async startThere(): Promise<void> {
    const child = spawn(MOSQUITTO, ["-c", join(this.#folder, "mosquitto.conf")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#there = child;
    await isRunning(child);
  }

  async killThere(): Promise<void> {
    const child = this.#there;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }
}

/** Mosquitto says so when its listeners are open and its bridges begin. */
async function isRunning(child: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface(child.stderr)) {
    lines.push(line);
    if (!/mosquitto version \S+ running/.test(line)) continue;
    // What it says later must not fill the pipe.
    child.stderr.resume();
    return;
  }
  throw new Error(`mosquitto ended: ${lines.join("; ")}`);
}

/** A client of one of the two that finds its way back, with what it received. */
class Side {
  readonly received: string[] = [];
  readonly client: MqttClient;

  constructor(port: number, clientId: string) {
    this.client = mqtt.connect({
      host: "127.0.0.1",
      port,
      clientId,
      clean: false,
      reconnectPeriod: 50,
      connectTimeout: 2_000,
    });
    this.client.on("error", () => {});
    this.client.on("message", (topic, payload, { retain }) => {
      this.received.push(`${topic} ${payload.toString()}${retain ? " retained" : ""}`);
    });
    onTestFinished(() => void this.client.end(true));
  }

  async has(...lines: readonly string[]): Promise<void> {
    await until(
      () => lines.every((line) => this.received.includes(line)),
      () => `${lines.join(", ")} among ${this.received.join(", ")}`,
    );
  }
}

async function bridged(settings?: readonly string[]): Promise<{ pair: Pair; here: Side; there: Side }> {
  const pair = await Pair.make(settings);
  await pair.startHere();
  await pair.startThere();
  const here = new Side(pair.ports.here, "here");
  const there = new Side(pair.ports.there, "there");
  for (const side of [here, there]) await side.client.subscribeAsync("#", { qos: 2 });
  // The bridge is up when something has crossed it, both ways.
  await crossed(here, there, "both/up");
  await crossed(there, here, "both/up");
  for (const side of [here, there]) side.received.length = 0;
  return { pair, here, there };
}

/** Publishes until it arrives at the other side: while there is no bridge nothing does. */
async function crossed(from: Side, to: Side, topic: string): Promise<void> {
  let number = 0;
  await until(
    () => {
      if (number++ % 50 === 0) from.client.publish(topic, `${number}`);
      return to.received.some((line) => line.startsWith(topic));
    },
    () => `a message on ${topic}`,
  );
}

describe.skipIf(!isHere)("a Mosquitto bridge", { timeout: 60_000 }, () => {
  test.each([
    ["by itself", []],
    ["of MQTT 3.1", ["bridge_protocol_version mqttv31"]],
    ["of MQTT 5", ["bridge_protocol_version mqttv50"]],
    ["that says nothing of being one", ["try_private false"]],
  ] as const)("%s carries messages both ways", async (_name, settings) => {
    const { here, there } = await bridged(settings);
    await there.client.publishAsync("out/a", "from there", { qos: 1 });
    await here.client.publishAsync("in/a", "from here", { qos: 1 });
    await here.has("out/a from there");
    await there.has("in/a from here");
  });

  test("by itself shows in $SYS whether it is connected", async () => {
    const pair = await Pair.make();
    await pair.startHere();
    const here = new Side(pair.ports.here, "here");
    await here.client.subscribeAsync("$SYS/broker/connection/+/state", { qos: 1 });
    await pair.startThere();
    const state = `$SYS/broker/connection/${hostname()}.wrenmq/state`;
    await here.has(`${state} 1`);
    const late = new Side(pair.ports.here, "late");
    await late.client.subscribeAsync("$SYS/broker/connection/#", { qos: 1 });
    await late.has(`${state} 1 retained`);
    await pair.killThere();
    await here.has(`${state} 0`);
  });

  test("by itself gets nothing back that it brought, and Retain flags as they were", async () => {
    const { pair, here, there } = await bridged();
    for (let index = 0; index < 10; index++) {
      await there.client.publishAsync("both/a", `there ${index}`, { qos: 1 });
      await here.client.publishAsync("both/a", `here ${index}`, { qos: 2 });
    }
    await here.client.publishAsync("both/kept", "yes", { qos: 1, retain: true });
    const all = (name: string): string[] => Array.from({ length: 10 }, (_, index) => `both/a ${name} ${index}`);
    await here.has(...all("there"));
    await there.has(...all("here"), "both/kept yes");
    // Each once: what goes round in a loop comes again and again.
    await crossed(here, there, "both/last");
    await crossed(there, here, "both/after");
    for (const side of [here, there]) {
      const seen = side.received.filter((line) => line.startsWith("both/a "));
      expect(seen.toSorted()).toEqual([...all("here"), ...all("there")].toSorted());
    }
    // It was kept there, too.
    const late = new Side(pair.ports.there, "late");
    await late.client.subscribeAsync("both/kept", { qos: 1 });
    await late.has("both/kept yes retained");
  });

  test("by itself brings all when we were killed and are back", async () => {
    const { pair, here, there } = await bridged();
    await pair.killHere();
    for (let index = 0; index < 20; index++) await there.client.publishAsync("out/a", `${index}`, { qos: 1 });
    await pair.startHere();
    await here.has(...Array.from({ length: 20 }, (_, index) => `out/a ${index}`));
    await crossed(here, there, "in/back");
  });

  test("by itself gets all that waited when it was killed and is back", async () => {
    const { pair, here, there } = await bridged();
    await pair.killThere();
    // Retained: its other client may be back later than the bridge.
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    for (const number of numbers) await here.client.publishAsync(`in/${number}`, number, { qos: 1, retain: true });
    await pair.startThere();
    const late = new Side(pair.ports.there, "late");
    await late.client.subscribeAsync("in/#", { qos: 1 });
    const got = (): Set<string> => new Set(late.received.map((line) => line.replace(" retained", "")));
    await until(
      () => numbers.every((number) => got().has(`in/${number} ${number}`)),
      () => [...got()].join(", "),
    );
    await crossed(there, here, "out/back");
  });
});
