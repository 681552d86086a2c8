// `$SYS`: the broker's state as retained messages, published at intervals.
import type { Millis, Seconds } from "@wrenmq/protocol";
import { LoadAverages } from "./load-averages.ts";
import type { MetricName, Metrics } from "./metrics.ts";

export interface SysOptions {
  /** Seconds between two publications; 0 switches `$SYS` off. */
  readonly intervalSeconds: Seconds;
  readonly names: "amqtt" | "mosquitto" | "both";
}

const PREFIX = "$SYS/broker/";
const MIB = 1024 * 1024;

export interface ProcessUse {
  /** Bytes. */
  readonly heapUsed: number;
  /** Share of one core, in per cent, since the last call. */
  readonly cpuPercent: number;
}

/** Keeps the peaks between two publications. */
export class SysTopics {
  readonly #names: SysOptions["names"];
  readonly #version: string;
  readonly #startedAt: Millis;
  #heapMaximum = 0;
  #cpuMaximum = 0;
  readonly #loads = new LoadAverages();
  #lastRound: Millis | undefined;

  constructor(names: SysOptions["names"], version: string, startedAt: Millis) {
    this.#names = names;
    this.#version = version;
    this.#startedAt = startedAt;
  }

  /** Topics that do not change while the broker runs. */
  fixed(): [topic: string, payload: string][] {
    return [[`${PREFIX}version`, `WrenMQ version ${this.#version}`]];
  }

  values(metrics: Metrics, use: ProcessUse, now: Millis): [topic: string, payload: string][] {
    this.#heapMaximum = Math.max(this.#heapMaximum, use.heapUsed);
    this.#cpuMaximum = Math.max(this.#cpuMaximum, use.cpuPercent);
    const get = (name: MetricName): number => metrics[name];
    const values: [string, string | number][] = [];
    if (this.#names !== "mosquitto") values.push(...this.#amqtt(get, use, now));
    if (this.#names !== "amqtt") {
      this.#loads.update(get, this.#lastRound === undefined ? 0 : (now - this.#lastRound) / 1000);
      this.#lastRound = now;
      values.push(...mosquitto(get, use), ["heap/maximum", this.#heapMaximum], ...this.#loads.values());
    }
    values.push(...losses(metrics, "dropped", "messages"), ...losses(metrics, "failed", "connections"));
    return values.map(([name, value]) => [PREFIX + name, String(value)]);
  }

  #amqtt(get: (name: MetricName) => number, use: ProcessUse, now: Millis): [string, string | number][] {
    return [
      ["load/bytes/received", get("bytesReceived")],
      ["load/bytes/sent", get("bytesSent")],
      ["messages/received", get("packetsReceived")],
      ["messages/sent", get("packetsSent")],
      ["time", Math.floor(now / 1000)],
      ["uptime", get("uptimeSeconds")],
      ["uptime/formatted", new Date(this.#startedAt).toISOString()],
      ["clients/connected", get("clientsConnected")],
      ["clients/disconnected", get("clientsDisconnected")],
      ["clients/maximum", get("clientsMaximum")],
      ["clients/total", get("clientsTotal")],
      ["messages/inflight", get("inflightIn") + get("inflightOut")],
      ["messages/inflight/in", get("inflightIn")],
      ["messages/inflight/out", get("inflightOut")],
      ["messages/inflight/stored", get("queued")],
      ["messages/outbox/count", get("outbox")],
      ["messages/outbox/bytes", get("outboxBytes")],
      ["messages/publish/received", get("publishReceived")],
      ["messages/publish/sent", get("publishSent")],
      ["messages/retained/count", get("retained")],
      ["messages/subscriptions/count", get("subscriptions")],
      ["heap/size", (use.heapUsed / MIB).toFixed(3)],
      ["heap/maximum", (this.#heapMaximum / MIB).toFixed(3)],
      ["cpu/percent", use.cpuPercent.toFixed(3)],
      ["cpu/maximum", this.#cpuMaximum.toFixed(3)],
    ];
  }
}

function mosquitto(get: (name: MetricName) => number, use: ProcessUse): [string, string | number][] {
  const dropped = get("droppedQueueFull") + get("droppedBlocked") + get("droppedTooLarge") + get("droppedStoreFull");
  return [
    ["uptime", `${get("uptimeSeconds")} seconds`],
    ["clients/total", get("clientsTotal")],
    ["clients/active", get("clientsConnected")],
    ["clients/connected", get("clientsConnected")],
    ["clients/inactive", get("clientsDisconnected")],
    ["clients/disconnected", get("clientsDisconnected")],
    ["clients/maximum", get("clientsMaximum")],
    ["messages/received", get("packetsReceived")],
    ["messages/sent", get("packetsSent")],
    ["messages/stored", get("retained") + get("queued")],
    ["store/messages/count", get("retained") + get("queued")],
    ["store/messages/bytes", get("retainedBytes")],
    ["publish/messages/received", get("publishReceived")],
    ["publish/messages/sent", get("publishSent")],
    ["publish/messages/dropped", dropped],
    ["retained messages/count", get("retained")],
    ["subscriptions/count", get("subscriptions")],
    ["publish/bytes/received", get("publishBytesReceived")],
    ["publish/bytes/sent", get("publishBytesSent")],
    ["clients/expired", get("sessionsExpired")],
    ["bytes/received", get("bytesReceived")],
    ["bytes/sent", get("bytesSent")],
    ["heap/current", use.heapUsed],
  ];
}

/** A topic for each reason of a loss: `droppedQueueFull` becomes `messages/dropped/queueFull`. */
function losses(metrics: Metrics, how: "dropped" | "failed", what: string): [string, number][] {
  return Object.entries(metrics)
    .filter(([name]) => name.startsWith(how))
    .map(([name, count]) => {
      const [initial = "", ...rest] = name.slice(how.length);
      return [`${what}/${how}/${initial.toLowerCase()}${rest.join("")}`, count];
    });
}
