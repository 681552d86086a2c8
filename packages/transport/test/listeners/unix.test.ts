import { spawnSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createListener } from "../../src/index.ts";
import { closing, echo, gather, pattern, recording, until } from "../support.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "wrenmq-"));
});
afterAll(() => rm(directory, { recursive: true }));

describe.skipIf(process.platform === "win32").each([true, false])("Unix socket, rawTcp %s", (rawTcp) => {
  const arena = new Uint8Array(65_536);
  const readBuffer = { bytes: arena, start: 0, length: arena.length };

  test("echo, mode of the file, and the file goes with the listener", async () => {
    const path = join(directory, "a.sock");
    const listener = createListener({ type: "unix", path, mode: 0o600, rawTcp }, echo, { readBuffer });
    await listener.listen();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(listener.address).toBe(`unix:${path}`);
    const socket = connect(path);
    const got = gather(socket);
    const bytes = pattern(1_000_000);
    socket.write(bytes);
    await until(() => got.size === bytes.length);
    expect(got.bytes().equals(bytes)).toBe(true);
    socket.end();
    await closing(socket);
    await listener.close();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("info", async () => {
    const path = join(directory, "info.sock");
    const made = recording();
    const listener = createListener({ type: "unix", path, rawTcp }, made.accept, { readBuffer });
    await listener.listen();
    const socket = connect(path);
    const { info } = (await made.next()).connection;
    expect(info).toMatchObject({ transport: "unix", remoteAddress: "", remotePort: undefined });
    socket.destroy();
    await listener.close();
  });

  test("what a crash left behind is removed; a live socket and a regular file are not", async () => {
    const path = join(directory, `b-${rawTcp}.sock`);
    spawnSync(process.execPath, [
      "-e",
      `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    expect((await stat(path)).isSocket()).toBe(true);
    const listener = createListener({ type: "unix", path, rawTcp }, echo, { readBuffer });
    await listener.listen();
    await expect(createListener({ type: "unix", path }, echo).listen()).rejects.toMatchObject({
      code: "ERR_LISTENER_IN_USE",
    });
    await listener.close();
    const file = join(directory, `data-${rawTcp}.txt`);
    await writeFile(file, "precious");
    await expect(createListener({ type: "unix", path: file }, echo).listen()).rejects.toMatchObject({
      code: "ERR_LISTENER_IN_USE",
    });
    expect((await stat(file)).size).toBe(8);
    await expect(
      createListener({ type: "unix", path: join(directory, "no", "c.sock") }, echo).listen(),
    ).rejects.toMatchObject({ code: expect.stringMatching(/ADDRESS|PERMISSION/) });
  });
});
