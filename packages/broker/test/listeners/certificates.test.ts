import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import type { ListenerOptions } from "@wrenmq/broker";
import { expect, onTestFinished, test } from "vitest";
// The transport's tests make certificates; another maker of them would be a copy.
import { Authority } from "../../../transport/test/certificates.ts";
import { startBroker } from "../support.ts";

test("a listener gets its new certificate, also where that of another one is bad", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-test-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const root = await Authority.root("CN=Root");
  const write = async (listener: string, what: "cert" | "key", pem: string): Promise<string> => {
    const file = join(folder, `${listener}.${what}`);
    await writeFile(file, pem);
    return file;
  };
  const listener = async (name: string): Promise<ListenerOptions> => {
    const { cert, key } = await root.issue({ name: "CN=before" });
    const certificates = [{ cert: await write(name, "cert", cert), key: await write(name, "key", key) }];
    return { type: "tls", host: "127.0.0.1", port: 0, tls: { certificates, watchInterval: 0 } };
  };
  const { broker, stop } = await startBroker({
    listeners: { bad: await listener("bad"), good: await listener("good") },
  });
  onTestFinished(stop);
  const after = await root.issue({ name: "CN=after" });
  for (const name of ["bad", "good"]) await write(name, "cert", after.cert);
  await write("good", "key", after.key);
  await expect(broker.reloadCertificates()).rejects.toMatchObject({ code: "ERR_LISTENER_TLS" });
  const socket = connect({ port: broker.port("good") as number, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  expect(socket.getPeerCertificate().subject.CN).toBe("after");
  socket.destroy();
});
