// Measures clients that connect and stay without subscriptions: the CPU of a connect, the memory of an idle connection.
import { cpuBetween, sample } from "../processes.mjs";
import { openLinks } from "./link.mjs";

export async function connects({ version, port, pid, clients, hold, transport, signal }) {
  const tls = transport === "tls" ? {} : undefined;
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  // The first clients make the broker allocate and compile, which is not the cost of a further one.
  const warm = await openLinks(100, version, port, (i) => ({ clientId: `warm-${i}`, tls }));
  await wait(300);
  if (signal !== undefined) process.kill(pid, signal);
  const before = sample(pid);
  const from = performance.now();
  const links = await openLinks(clients, version, port, (i) => ({ clientId: `idle-${i}`, tls }));
  const seconds = (performance.now() - from) / 1000;
  const connected = sample(pid);
  if (signal !== undefined) process.kill(pid, signal);
  await wait(hold * 1000);
  const held = sample(pid);
  const cpu = cpuBetween(before, connected);
  const idle = cpuBetween(connected, held);
  for (const link of [...links, ...warm]) link.destroy();
  return {
    delivered: clients,
    seconds,
    rate: clients / seconds,
    cpuPerMessage: cpu === undefined ? undefined : cpu / clients,
    bytesPerConnection: held === undefined ? undefined : (held.rss - before.rss) / clients,
    idleCpu: idle === undefined ? undefined : idle / 1e6 / hold,
    peak: held?.peak,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupt: 0,
    stalls: 0,
  };
}
