// Paho for C over WebSocket: of each frame it reads the first packet alone.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import mqtt, { type MqttClient } from "mqtt";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isInstalled, siteOfFile, until } from "./site.ts";

const isHere = isInstalled("/usr/bin/paho_c_sub", "paho.mqtt.c-examples");

/** A subscriber that prints what it gets, a line each. */
class Subscriber {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  #rest = "";
  #errors = "";

  constructor(words: readonly string[]) {
    const child = spawn("/usr/bin/paho_c_sub", words, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    onTestFinished(() => this.kill());
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      this.lines.push(...lines);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
  }

  has(count: number): Promise<void> {
    return until(
      () => this.lines.length >= count,
      () => `${count} lines from paho_c_sub, ${this.lines.length} came: ${this.#errors}`,
    );
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}

describe.skipIf(!isHere)("paho_c_sub", () => {
  const site = siteOfFile();
  let publisher: MqttClient;
  beforeAll(async () => {
    publisher = await mqtt.connectAsync(site().url("tcp"), { reconnectPeriod: 0 });
    return () => void publisher.end(true);
  });

  const words = (way: "tcp" | "ws", topic: string, version: string, qos: number, clientId: string): string[] => {
    const { ports } = site();
    const connection = way === "ws" ? `ws://127.0.0.1:${ports.ws}/mqtt` : `tcp://127.0.0.1:${ports.tcp}`;
    return ["-c", connection, "-t", topic, "-q", String(qos), "-V", version, "-i", clientId];
  };
  const combinations = (["tcp", "ws"] as const).flatMap((way) =>
    (["311", "5"] as const).flatMap((version) => ([0, 1, 2] as const).map((qos) => [way, version, qos] as const)),
  );

  test.each(combinations)("over %s, version %s, QoS %s: a burst of 300 arrives whole", async (way, version, qos) => {
    const topic = `burst/${way}/${version}/${qos}`;
    // Whoever gets it has subscribed.
    await publisher.publishAsync(topic, "ready", { qos: 1, retain: true });
    const subscriber = new Subscriber(words(way, topic, version, qos, `burst-${way}-${version}-${qos}`));
    await subscriber.has(1);
    const numbers = Array.from({ length: 300 }, (_, index) => String(index));
    await Promise.all(numbers.map((number) => publisher.publishAsync(topic, number, { qos })));
    await subscriber.has(301);
    expect(subscriber.lines).toEqual(["ready", ...numbers]);
    await subscriber.kill();
  });

  test.each(["tcp", "ws"] as const)("over %s: a session that is resumed gets all that waited", async (way) => {
    const topic = `resumed/${way}`;
    await publisher.publishAsync(topic, "ready", { qos: 1, retain: true });
    const first = new Subscriber(words(way, topic, "311", 1, `lasting-${way}`));
    await first.has(1);
    await first.kill();
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    for (const number of numbers) await publisher.publishAsync(topic, number, { qos: 1 });
    const second = new Subscriber(words(way, topic, "311", 1, `lasting-${way}`));
    // It subscribes once more, and gets the retained message again.
    await second.has(21);
    expect(second.lines.filter((line) => line !== "ready")).toEqual(numbers);
    await second.kill();
  });
});
