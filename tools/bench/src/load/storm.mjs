// A fleet that loses its connections and comes again, all at once: with the sessions of its first connections or without.
import { cpuBetween, sample } from "../processes.mjs";
import { openLinks } from "./link.mjs";

export async function storm({ version, port, pid, clients, resumes, transport, signal }) {
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const tls = transport === "tls" ? {} : undefined;
  const client = (i) => ({ clientId: `device-${i}`, tls });
  const first = await openLinks(clients, version, port, client);
  // Tickets of TLS 1.3 come after the handshake.
  await wait(300);
  for (const link of first) link.destroy();
  await wait(500);
  const again = (i) => ({
    ...client(i),
    tls: tls && { session: resumes ? first[i].session : undefined },
  });
  if (signal !== undefined) process.kill(pid, signal);
  const before = sample(pid);
  const from = performance.now();
  const links = await openLinks(clients, version, port, again);
  const seconds = (performance.now() - from) / 1000;
  const after = sample(pid);
  if (signal !== undefined) process.kill(pid, signal);
  const cpu = cpuBetween(before, after);
  const resumed = links.filter(({ isResumed }) => isResumed).length;
  for (const link of links) link.destroy();
  return {
    delivered: clients,
    seconds,
    rate: clients / seconds,
    cpuPerMessage: cpu === undefined ? undefined : cpu / clients,
    resumed,
    peak: after?.peak,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    // A session that should have gone on, or should not.
    corrupt: Math.abs(resumed - (resumes ? clients : 0)),
    stalls: 0,
  };
}
