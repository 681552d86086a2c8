// How long a broker takes to start with many messages queued on disk, and are they all there?
//   node tools/bench/restore.mjs [--messages 200000] [--size 64] [--reps 3]
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encode } from "@wrenmq/codec";
import { RunningBroker } from "./src/brokers.mjs";
import { makePayload } from "./src/load/ledger.mjs";
import { each, openLinks } from "./src/load/link.mjs";
import { sample } from "./src/processes.mjs";
import { median, number } from "./src/report.mjs";

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "200000" },
    size: { type: "string", default: "64" },
    reps: { type: "string", default: "3" },
  },
});
const wanted = Number(values.messages);
const size = Number(values.size);
/** Below the default bound of a session's queue. */
const PER_SESSION = 5_000;
const WINDOW = 1_000;
const sessions = Math.ceil(wanted / PER_SESSION);
const say = (line) => process.stdout.write(`${line}\n`);
const session = (i) => ({ clientId: `session-${i}`, cleanStart: false });

/** Sessions that subscribe and go, and a publisher whose every message waits for one of them. */
async function fill(port) {
  const links = await openLinks(sessions, 4, port, session);
  await each(links, (link, i) => link.subscribe([`queue/${i}`], 1));
  for (const link of links) link.close();
  const [publisher] = await openLinks(1, 4, port, () => ({ clientId: "publisher" }));
  let acknowledged = 0;
  publisher.onAcknowledged = () => {
    acknowledged++;
  };
  const payload = makePayload(size, 0);
  for (let sent = 0; acknowledged < wanted; ) {
    for (; sent < wanted && sent - acknowledged < WINDOW; sent++) {
      const packet = { type: "publish", topic: `queue/${sent % sessions}`, payload, qos: 1, retain: false, dup: false };
      publisher.append(encode({ ...packet, packetId: (sent % 65_535) + 1 }));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  publisher.close();
}

/** Connects every session again and counts what comes. */
async function drain(port) {
  let received = 0;
  let last = performance.now();
  const onMessage = () => {
    received++;
    last = performance.now();
  };
  const links = await openLinks(sessions, 4, port, session, { onMessage });
  while (performance.now() - last < 1_000) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const link of links) link.close();
  return received;
}

function bytesIn(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !file.name.startsWith("reserve"))
    .reduce((sum, file) => sum + statSync(join(file.parentPath ?? file.path, file.name)).size, 0);
}

async function start(dir) {
  const from = performance.now();
  const broker = await RunningBroker.start("wrenmq batch", { dir, patience: 120_000 });
  return { broker, milliseconds: performance.now() - from };
}

const figures = [];
for (let repetition = 0; repetition < Number(values.reps); repetition++) {
  const dir = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "bench-"));
  try {
    const empty = await start(dir);
    await fill(empty.broker.port);
    await empty.broker.stop("SIGKILL");
    const bytes = bytesIn(dir);
    const full = await start(dir);
    const rss = sample(full.broker.pid)?.rss;
    const received = await drain(full.broker.port);
    await full.broker.stop();
    figures.push({ empty: empty.milliseconds, full: full.milliseconds, bytes, rss, received });
    say(`${repetition + 1}: start ${Math.round(full.milliseconds)} ms, empty ${Math.round(empty.milliseconds)} ms`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
const of = (key) => median(figures.map((figure) => figure[key]));
say(
  `\n| messages | bytes of payload | on disk, MB | start after kill -9, ms | start of an empty one, ms | resident, MB | delivered |`,
);
say("|---|---|---|---|---|---|---|");
say(
  `| ${wanted} | ${size} | ${number(of("bytes") / 1e6, 1)} | ${Math.round(of("full"))} | ${Math.round(of("empty"))} ` +
    `| ${number((of("rss") ?? 0) / 1e6, 0)} | ${of("received")} |`,
);
process.exitCode = figures.every(({ received }) => received === wanted) ? 0 : 1;
