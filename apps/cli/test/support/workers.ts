// What tests of several workers need: client identifiers by their home, and clients that end with the test.
import { homeOf } from "@wrenmq/cluster";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";

export const WORKERS = 2;

export function idAt(home: number, prefix: string, count: number = WORKERS): string {
  for (let number = 0; ; number++) if (homeOf(`${prefix}-${number}`, count) === home) return `${prefix}-${number}`;
}

export async function connect(url: string, options: IClientOptions): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, protocolVersion: 4, ...options });
  client.on("error", () => {});
  onTestFinished(() => void client.end(true));
  return client;
}

/** Collects what a client receives from now on. */
export function payloads(client: MqttClient): { readonly all: string[]; first(count: number): Promise<string[]> } {
  const all: string[] = [];
  let look = (): void => {};
  client.on("message", (_topic, payload) => {
    all.push(payload.toString());
    look();
  });
  return {
    all,
    first: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (all.length >= count) resolve(all.slice(0, count));
        };
        look();
      }),
  };
}
