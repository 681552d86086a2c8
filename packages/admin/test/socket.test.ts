import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrokerFixture, startBroker } from "@wrenmq/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AdminClient, findTarget } from "../src/client/index.ts";
import { AdminSocket, runningSockets, socketIn } from "../src/socket/index.ts";
import { MemoryLogger } from "./support/memory-logger.ts";

let fixture: BrokerFixture;
let folder: string;
let runtime: string;
const logger = new MemoryLogger();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wrenmq-admin-"));
  runtime = join(folder, "run");
  fixture = await startBroker();
});

afterEach(async () => {
  await fixture.stop();
  await rm(folder, { recursive: true, force: true });
});

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test("in the data folder, for its owner alone; whoever connects may do everything without a token", async () => {
  const socket = await AdminSocket.open({ broker: fixture.broker, logger, dataFolder: folder, runtime });
  expect(socket.path).toBe(socketIn(folder));
  expect(await modeOf(socket.path)).toBe(0o600);
  await fixture.connect(5, { clientId: "c" });
  const client = new AdminClient(await findTarget({ data: folder }));
  expect(await client.call("clients.list", true)).toMatchObject({ items: [{ clientId: "c" }] });
  expect(await client.call("clients.kick", false, { clientId: "c" })).toEqual({ disconnected: true });
  await expect(client.call("clients.kick", false, { clientId: "c" })).rejects.toMatchObject({ code: "not_found" });
  fixture.broker.retain("a", "x");
  const lines = [];
  for await (const line of client.stream("retained.export")) lines.push(line);
  expect(lines).toHaveLength(1);
  await socket.close();
  await expect(client.call("health", true)).rejects.toMatchObject({ code: "unreachable" });
});

test("is found without being told, when it is the only one; otherwise the question says which there are", async () => {
  const first = await AdminSocket.open({ broker: fixture.broker, logger, dataFolder: folder, runtime });
  expect(await findTarget({ runtime })).toEqual({ socket: join(runtime, `${process.pid}.sock`) });
  expect(await modeOf(runtime)).toBe(0o700);
  await writeFile(join(runtime, "1.sock"), ""); // of a process that is alive, but no broker
  expect(await findTarget({ runtime })).toEqual({ socket: join(runtime, `${process.pid}.sock`) });
  await first.close();
  expect(runningSockets(runtime)).toEqual([join(runtime, "1.sock")]);
  await expect(findTarget({ runtime })).rejects.toThrow(/no broker of this user runs/);
});

test("without a data folder it is in the runtime folder, which must not be open to others", async () => {
  const socket = await AdminSocket.open({ broker: fixture.broker, logger, runtime });
  expect(socket.path).toBe(join(runtime, `${process.pid}.sock`));
  await socket.close();
  const { chmod } = await import("node:fs/promises");
  await chmod(runtime, 0o755);
  await expect(AdminSocket.open({ broker: fixture.broker, logger, runtime })).rejects.toThrow(/owner alone/);
});

test("takes the place of what an ended process left, but of no other file", async () => {
  const left = await AdminSocket.open({ broker: fixture.broker, logger, dataFolder: folder, runtime });
  const socket = await AdminSocket.open({ broker: fixture.broker, logger, dataFolder: folder, runtime });
  expect(await new AdminClient({ socket: socket.path }).call("health", true)).toMatchObject({ ready: true });
  await left.close();
  await socket.close();
  await writeFile(socket.path, "a file");
  const opening = AdminSocket.open({ broker: fixture.broker, logger, dataFolder: folder, runtime });
  await expect(opening).rejects.toThrow(/no socket/);
});
