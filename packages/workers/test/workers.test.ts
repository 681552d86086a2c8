// Workers in processes of their own, as whoever embeds them has it: a module, a configuration, clients.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { homeOf } from "@wrenmq/cluster";
import { startWorkers, type Workers, WorkersError } from "@wrenmq/workers";
import mqtt, { type MqttClient } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { bundle } from "../../../apps/cli/test/support/bundle.mjs";
import { temporaryFolder } from "./support/folder.ts";

interface Config {
  readonly greeting: string;
  /** The worker that cannot serve this. */
  readonly refusedBy?: number;
}

const WORKER = `
import { createBroker } from "@wrenmq/broker";
import { runWorker } from "@wrenmq/workers";

const accept = (worker, { refusedBy }) => {
  if (refusedBy === worker) throw new Error("worker " + worker + " cannot serve this");
};
const everybody = { name: "everybody", setup: () => ({ authenticate: () => true }) };
let made = 0;
let ended = 0;
await runWorker({
  createBroker(config, { worker, options }) {
    accept(worker, config);
    const listeners = { main: { type: "tcp", host: "127.0.0.1", port: 0 } };
    const broker = createBroker({ listeners, plugins: [everybody], ...options });
    const greet = ({ greeting }) => broker.publish("greeting/" + worker, greeting, { retain: true });
    return {
      broker,
      started: () => greet(config),
      async answer(question) {
        if (question === "fail") throw new Error("no");
        if (question === "wait") await new Promise(() => {});
        return { worker, question, made, ended, pid: process.pid };
      },
      async *stream(count, signal) {
        try {
          for (let number = 0; number < count; number++) {
            made++;
            yield "x".repeat(1024) + number;
          }
          if (count === 3) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          ended++;
        }
      },
      async prepare(wanted) {
        accept(worker, wanted);
        return { commit: async () => greet(wanted), abort: async () => greet({ greeting: "as before" }) };
      },
    };
  },
});
`;

async function start(config: Config): Promise<Workers<Config>> {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const module = await bundle("worker", WORKER, here, join(await temporaryFolder(), "program"));
  const workers = startWorkers({ workers: 2, module, config });
  onTestFinished(() => workers.stop());
  return workers;
}

async function clientAt(worker: number, address: string): Promise<MqttClient> {
  let number = 0;
  while (homeOf(`client-${number}`, 2) !== worker) number++;
  const client = await mqtt.connectAsync(address, { clientId: `client-${number}`, reconnectPeriod: 0 });
  client.on("error", () => {});
  onTestFinished(() => void client.end(true));
  return client;
}

/** Resolves when the client has received this. */
function received(client: MqttClient, topic: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    client.on("message", (name, payload) => {
      if (name === topic && payload.toString() === text) resolve();
    });
  });
}

test("clients of different workers are clients of one broker; all workers change their configuration, or none", async () => {
  const workers = await start({ greeting: "hello" });
  const address = (await workers.ready).get("main") ?? "";
  expect(workers.authenticators).toEqual(new Map([["main", ["everybody"]]]));
  expect(workers.isReady).toBe(true);
  const [one, two] = [await clientAt(0, address), await clientAt(1, address)];
  const heard = [received(one, "greeting/1", "hello"), received(one, "from/two", "hi")];
  await one.subscribeAsync(["greeting/+", "from/two"]);
  await two.publishAsync("from/two", "hi", { qos: 1 });
  await Promise.all(heard);

  const again = [0, 1].map((worker) => received(one, `greeting/${worker}`, "welcome"));
  await workers.change({ greeting: "welcome" });
  await Promise.all(again);

  const given = received(one, "greeting/0", "as before");
  const never = received(one, "greeting/0", "no").then(() => expect.unreachable());
  await expect(workers.change({ greeting: "no", refusedBy: 1 })).rejects.toMatchObject({
    code: "ERR_WORKERS_CHANGE",
    message: "worker 1 cannot serve this",
  });
  await Promise.race([given, never]);
  const closed = new Promise<void>((resolve) => one.once("close", () => resolve()));
  await workers.stop();
  await closed;
});

test("a worker answers questions, and streams as fast as they are read", async () => {
  const workers = await start({ greeting: "hello" });
  await workers.ready;
  expect(workers.count).toBe(2);
  expect(await workers.ask(1, "who")).toMatchObject({ worker: 1, question: "who" });
  await expect(workers.ask(0, "fail")).rejects.toMatchObject({ code: "ERR_WORKERS_ANSWER", message: "no" });
  await expect(workers.ask(0, "wait", AbortSignal.timeout(10))).rejects.toMatchObject({ name: "TimeoutError" });

  let seen = 0;
  for await (const line of workers.stream(0, 1_000)) expect(line).toMatch(new RegExp(`x${seen++}$`));
  expect(seen).toBe(1_000);
  // Whoever reads one line has at most one piece made, and ends the stream.
  for await (const _line of workers.stream(1, Number.MAX_SAFE_INTEGER)) break;
  await expect.poll(() => workers.ask(1, "")).toMatchObject({ ended: 1 });
  expect(((await workers.ask(1, "")) as { made: number }).made).toBeLessThanOrEqual(257);

  // A stream that waits for its next line ends when nobody reads on.
  const abort = new AbortController();
  const waiting = workers.stream(1, 3, abort.signal)[Symbol.asyncIterator]();
  for (let count = 0; count < 3; count++) await waiting.next();
  const next = waiting.next();
  abort.abort();
  await expect(next).rejects.toMatchObject({ name: "AbortError" });
  await expect.poll(() => workers.ask(1, "")).toMatchObject({ ended: 2 });
});

test("a worker that ends answers nothing more; the one in its place does", async () => {
  const workers = await start({ greeting: "hello" });
  await workers.ready;
  const up = new Promise<number>((resolve) => workers.onUp(resolve));
  const { pid } = (await workers.ask(1, "")) as { pid: number };
  const asked = workers.ask(1, "wait");
  const streamed = workers.stream(1, 3)[Symbol.asyncIterator]();
  for (let count = 0; count < 3; count++) await streamed.next();
  const next = streamed.next();
  process.kill(pid, "SIGKILL");
  const gone = { code: "ERR_WORKERS_ANSWER", message: "worker 1 ended before it answered" };
  await expect(asked).rejects.toMatchObject(gone);
  await expect(next).rejects.toMatchObject(gone);
  expect(workers.isUp(1)).toBe(false);
  await expect(workers.ask(1, "")).rejects.toMatchObject({ message: "worker 1 is not ready" });
  expect(await up).toBe(1);
  expect(await workers.ask(1, "")).toMatchObject({ worker: 1 });
});

test("a worker that cannot start says why; the others are ended by stop()", async () => {
  const workers = await start({ greeting: "hello", refusedBy: 1 });
  await expect(workers.ready).rejects.toMatchObject({
    code: "ERR_WORKERS_START",
    message: "worker 1 cannot serve this",
  });
  await workers.stop();
});

test("stopped before they are ready: nobody waits for ever", async () => {
  const workers = await start({ greeting: "hello" });
  const ready = expect(workers.ready).rejects.toMatchObject({ code: "ERR_WORKERS_START" });
  await workers.stop();
  await ready;
});

test.each([0, 1.5, 65, Number.NaN])("%d workers: an error that says how many there can be", (workers) => {
  expect(() => startWorkers({ workers, config: {} })).toThrow(WorkersError);
  expect(() => startWorkers({ workers, config: {} })).toThrow("from 1 to 64");
});
