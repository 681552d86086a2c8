// What a message over WebSocket costs the broker, out and in. Given the folders of other checkouts, of each of them, run
// interleaved: for a change of the frames.
//   node tools/bench/websocket.mjs [FOLDER…] [--reps 5]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { cpuBetween, sample } from "./src/processes.mjs";
import { median, number } from "./src/report.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { reps: { type: "string", default: "5" }, only: { type: "string", default: "" } },
});
const here = fileURLToPath(new URL("../..", import.meta.url));
const checkouts = [here, ...positionals.map((folder) => resolve(folder))];
const say = (line) => process.stdout.write(`${line}\n`);

// ── packets and frames ──────────────────────────────────────────────────────────────────────────────────────────────

function packet(first, body) {
  const head = [first];
  for (let rest = body.length; ; rest >>>= 7) {
    head.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) return Buffer.concat([Buffer.from(head), body]);
  }
}

const field = (text) => Buffer.concat([Buffer.of(text.length >> 8, text.length & 0xff), Buffer.from(text)]);
const connectPacket = (id) => packet(0x10, Buffer.concat([field("MQTT"), Buffer.of(4, 2, 0, 0), field(id)]));
const subscribePacket = packet(0x82, Buffer.concat([Buffer.of(0, 1), field("t"), Buffer.of(0)]));
const publishPacket = (size) => packet(0x30, Buffer.concat([field("t"), Buffer.alloc(size)]));
const PINGREQ = Buffer.of(0xc0, 0);

/** A frame with a mask that changes nothing. */
function frame(payload) {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = 0x82;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65_536) {
    head[1] = 0xfe;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0xff;
    head.writeUInt32BE(length, 6);
  }
  return Buffer.concat([head, payload]);
}

/** Counts the payload of frames that come in any pieces. */
class Counter {
  bytes = 0;
  #left = 0;
  #head = Buffer.alloc(0);

  read(chunk) {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        this.#head = Buffer.concat([this.#head, chunk.subarray(at, at + 1)]);
        at++;
        const short = this.#head[1] ?? 0;
        if (this.#head.length < 2 || this.#head.length < (short < 126 ? 2 : short === 126 ? 4 : 10)) continue;
        this.#left = short < 126 ? short : short === 126 ? this.#head.readUInt16BE(2) : this.#head.readUInt32BE(6);
        this.#head = Buffer.alloc(0);
        continue;
      }
      const taken = Math.min(this.#left, chunk.length - at);
      this.#left -= taken;
      this.bytes += taken;
      at += taken;
    }
  }
}

class Client {
  received = 0;
  #socket;
  #count;
  #waiting;

  static async open(port, id, way) {
    const client = new Client();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    client.#socket = socket;
    if (way === "ws") {
      socket.write(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
      );
      await once(socket, "data");
      client.#count = new Counter();
    }
    socket.on("data", (chunk) => {
      if (client.#count === undefined) client.received += chunk.length;
      else {
        client.#count.read(chunk);
        client.received = client.#count.bytes;
      }
      client.#waiting?.();
    });
    client.write(way === "ws" ? frame(connectPacket(id)) : connectPacket(id));
    await client.until(4);
    return client;
  }

  write(bytes) {
    return this.#socket.write(bytes) ? undefined : once(this.#socket, "drain");
  }

  async until(bytes) {
    while (this.received < bytes) {
      await new Promise((wake) => {
        this.#waiting = wake;
      });
    }
  }

  close() {
    this.#socket.destroy();
  }
}

// ── what is measured ────────────────────────────────────────────────────────────────────────────────────────────────

/** @returns how many messages the broker has sent or taken */
const all = {
  /** A turn of the event loop has many packets for each subscriber. */
  async "64 B out, bursts"(ports) {
    return fanOut(ports, { subscribers: 10, size: 64, burst: 100, rounds: 400 });
  },
  async "64 B out, one at a time"(ports) {
    return fanOut(ports, { subscribers: 10, size: 64, burst: 1, rounds: 4_000 });
  },
  async "1 KiB out, bursts"(ports) {
    return fanOut(ports, { subscribers: 10, size: 1024, burst: 50, rounds: 400 });
  },
  async "256 KiB out"(ports) {
    return fanOut(ports, { subscribers: 4, size: 262_144, burst: 1, rounds: 200 });
  },
  async "64 B in"(ports) {
    return fanIn(ports, { size: 64, burst: 100, rounds: 2_000 });
  },
  async "256 KiB in"(ports) {
    return fanIn(ports, { size: 262_144, burst: 1, rounds: 400 });
  },
};

async function fanOut(ports, { subscribers, size, burst, rounds }) {
  const clients = [];
  for (let index = 0; index < subscribers; index++) {
    const client = await Client.open(ports.ws, `s${index}`, "ws");
    client.write(frame(subscribePacket));
    await client.until(9);
    clients.push(client);
  }
  const publisher = await Client.open(ports.tcp, "p", "tcp");
  const message = publishPacket(size);
  const bytes = Buffer.concat(Array.from({ length: burst }, () => message));
  for (let round = 1; round <= rounds; round++) {
    await publisher.write(bytes);
    await Promise.all(clients.map((client) => client.until(9 + round * bytes.length)));
  }
  for (const client of [...clients, publisher]) client.close();
  return subscribers * burst * rounds;
}

async function fanIn(ports, { size, burst, rounds }) {
  const publisher = await Client.open(ports.ws, "p", "ws");
  const bytes = Buffer.concat([...Array.from({ length: burst }, () => frame(publishPacket(size))), frame(PINGREQ)]);
  for (let round = 1; round <= rounds; round++) {
    await publisher.write(bytes);
    await publisher.until(4 + 2 * round);
  }
  publisher.close();
  return burst * rounds;
}

// ── brokers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const folder = await mkdtemp(join(tmpdir(), "wrenmq-bench-"));
const file = join(folder, "wrenmq.yaml");
await writeFile(
  file,
  "listeners: { tcp: { bind: '127.0.0.1:0' }, ws: { type: ws, bind: '127.0.0.1:0' } }\nplugins: { anonymous: {} }\n",
);

async function programOf(checkout, index) {
  const { bundleCommand } = await import(pathToFileURL(join(checkout, "apps/cli/test/support/bundle.mjs")).href);
  return bundleCommand(join(folder, String(index)));
}

async function startBroker(program) {
  const child = spawn(process.execPath, [program, "start", "--log-format", "json", "-c", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ports = {};
  let text = "";
  for await (const chunk of child.stderr.setEncoding("utf8")) {
    text += chunk;
    for (const line of text.split("\n").slice(0, -1)) {
      const { msg, listener, address } = JSON.parse(line);
      if (msg === "clients may connect") ports[listener] = Number(new URL(address).port);
    }
    if ("tcp" in ports && "ws" in ports) break;
  }
  return { child, ports };
}

async function measure(program, run) {
  const { child, ports } = await startBroker(program);
  try {
    await run(ports);
    const before = sample(child.pid);
    const count = await run(ports);
    const after = sample(child.pid);
    return cpuBetween(before, after) / count;
  } finally {
    child.kill();
  }
}

try {
  const programs = await Promise.all(checkouts.map(programOf));
  say(
    `| µs of the broker per message | ${checkouts.map((_, index) => (index === 0 ? "here" : positionals[index - 1])).join(" | ")} | ratio |`,
  );
  say(`|---|${checkouts.map(() => "---|").join("")}---|`);
  for (const [name, run] of Object.entries(all).filter(([name]) => name.includes(values.only))) {
    const figures = programs.map(() => []);
    for (let repetition = 0; repetition < Number(values.reps); repetition++) {
      for (const [index, program] of programs.entries()) figures[index].push(await measure(program, run));
    }
    const medians = figures.map(median);
    const ratio = medians.length > 1 ? number(medians[0] / medians[1]) : "";
    say(`| ${name} | ${medians.map((value) => number(value)).join(" | ")} | ${ratio} |`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
