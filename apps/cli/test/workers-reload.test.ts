// SIGHUP with several workers: each of them serves the new configuration, or none does.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import mqtt from "mqtt";
import { expect, test } from "vitest";
import { type BrokerProcess, type LogLine, startBroker } from "./support/broker-process.ts";
import { temporaryFolder } from "./support/folder.ts";
import { connect, idAt, WORKERS } from "./support/workers.ts";

const NOT_RELOADED = "the configuration was not reloaded: nothing has changed";

/** Writes the file, sends SIGHUP, waits for what the supervisor says. */
async function reload(broker: BrokerProcess, file: string, text: string): Promise<LogLine> {
  await writeFile(file, text);
  const from = broker.lines.length;
  broker.child.kill("SIGHUP");
  return broker.line(({ msg }) => msg?.includes("reloaded") === true, from);
}

/** The Maximum Packet Size that each worker announces. */
async function announced(url: string): Promise<(number | undefined)[]> {
  const sizes: (number | undefined)[] = [];
  for (let home = 0; home < WORKERS; home++) {
    const client = mqtt.connect(url, { clientId: idAt(home, "asks"), protocolVersion: 5, reconnectPeriod: 0 });
    sizes.push(
      await new Promise((resolve, reject) => {
        client.once("connect", ({ properties }) => resolve(properties?.maximumPacketSize));
        client.once("error", reject);
      }),
    );
    await client.endAsync();
  }
  return sizes;
}

test("all workers change, or none; a worker that is started again serves what the others do", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "wrenmq.yaml");
  // It cannot be set up in one of the workers.
  await writeFile(
    join(folder, "picky.mjs"),
    `export default {
      name: "picky",
      setup() {
        if (process.env.WRENMQ_WORKER === "1") throw new Error("not here");
        return {};
      },
    };`,
  );
  const config = (size: number, more: { readonly listener?: string; readonly plugin?: string } = {}): string => `
workers: ${WORKERS}
listeners:
  a: { bind: "127.0.0.1:0" }
  ${more.listener ?? ""}
limits: { maximum_packet_size: ${size}B }
plugins:
  anonymous: {}
  ${more.plugin ?? ""}
`;
  await writeFile(file, config(1000));
  const broker = startBroker(["-c", file]);
  const url = await broker.address("a");
  const witness = await connect(url, { clientId: idAt(0, "witness") });
  expect(await announced(url)).toEqual([1000, 1000]);

  const done = await reload(broker, file, config(2000, { listener: "b: { bind: 127.0.0.1:0 }" }));
  expect(done).toMatchObject({ listenersAdded: ["b"], limits: ["maximumPacketSize"] });
  expect(await announced(url)).toEqual([2000, 2000]);
  const addresses = broker.lines.filter((line) => line.msg === "listening" && line["listener"] === "b");
  expect(addresses).toHaveLength(WORKERS);
  expect(await announced(String(addresses[0]?.["address"]))).toEqual([2000, 2000]);

  const bad = config(3000, { plugin: "picky: { use: ./picky.mjs }" });
  const refused = await reload(broker, file, bad);
  expect(refused).toMatchObject({ level: 50, msg: NOT_RELOADED });
  expect(refused["reason"]).toContain("not here");
  expect(await announced(url)).toEqual([2000, 2000]);
  // It was closed in the worker where it could be changed.
  expect(await announced(String(addresses[0]?.["address"])).catch(() => "closed")).toEqual([2000, 2000]);

  // The file is still the bad one.
  const victim = broker.lines.find((line) => line.msg === "listening" && line["worker"] === 1);
  const from = broker.lines.length;
  process.kill(Number(victim?.["pid"]), "SIGKILL");
  await broker.line((line) => line.msg === "listening" && line["worker"] === 1, from);
  expect(await announced(url)).toEqual([2000, 2000]);

  expect(await reload(broker, file, "listeners: { a: { bnd: 1 } }\n")).toMatchObject({ msg: NOT_RELOADED });
  await reload(broker, file, config(4000));
  expect(await announced(url)).toEqual([4000, 4000]);
  await witness.publishAsync("still", "here", { qos: 1 });
});
