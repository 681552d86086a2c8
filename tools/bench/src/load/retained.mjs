// Measures retained messages: one client sets them, another one subscribes to them.
import { encode } from "@wrenmq/codec";
import { cpuBetween, sample } from "../processes.mjs";
import { makePayload } from "./ledger.mjs";
import { openLinks } from "./link.mjs";

const WINDOW = 1_000;
const STALL = 5_000;

export async function retained({ version, port, pid, topics, size, readers, signal }) {
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const [publisher] = await openLinks(1, version, port, () => ({ clientId: "publisher" }));
  let acknowledged = 0;
  publisher.onAcknowledged = () => {
    acknowledged++;
  };
  const payload = makePayload(size, 0);
  await wait(300);
  const before = sample(pid);
  const from = performance.now();
  for (let sent = 0; sent < topics; ) {
    while (sent < topics && sent - acknowledged < WINDOW) {
      payload.writeUInt32LE(sent, 8);
      const packetId = (sent % 65_535) + 1;
      const packet = { type: "publish", topic: `r/${sent % 100}/${sent}`, payload, qos: 1, packetId };
      publisher.append(encode({ ...packet, retain: true, dup: false }, version));
      sent++;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (acknowledged < topics && performance.now() - from < STALL * 4) await wait(2);
  const set = sample(pid);
  const setSeconds = (performance.now() - from) / 1000;

  const links = await openLinks(readers, version, port, (i) => ({ clientId: `reader-${i}` }));
  let [received, corrupt, last] = [0, 0, performance.now()];
  if (signal !== undefined) process.kill(pid, signal);
  const between = sample(pid);
  const began = performance.now();
  for (const link of links) {
    link.onMessage = (_, bytes, start, end, _qos, isRetained) => {
      received++;
      last = performance.now();
      if (end - start !== size || !isRetained || bytes[end - 1] !== payload[size - 1]) corrupt++;
    };
    await link.subscribe(["r/#"], 0);
  }
  const wanted = topics * readers;
  while (received < wanted && performance.now() - last < STALL) await wait(2);
  const replayed = sample(pid);
  if (signal !== undefined) process.kill(pid, signal);
  const seconds = (last - began) / 1000;
  for (const link of [publisher, ...links]) link.close();
  const setCpu = cpuBetween(before, set);
  const cpu = cpuBetween(between, replayed);
  return {
    delivered: received,
    seconds,
    rate: received / seconds,
    cpuPerMessage: cpu === undefined ? undefined : cpu / received,
    setRate: topics / setSeconds,
    setCpuPerMessage: setCpu === undefined ? undefined : setCpu / topics,
    bytesPerRetained: set === undefined ? undefined : (set.rss - before.rss) / topics,
    peak: replayed?.peak,
    lost: Math.max(0, wanted - received),
    duplicated: Math.max(0, received - wanted),
    reordered: 0,
    corrupt,
    stalls: 0,
  };
}
