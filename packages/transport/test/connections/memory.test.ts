import { describe, expect, test } from "vitest";
import { memoryPair } from "../../src/connections/memory.ts";
import { pattern, Recorder, until } from "../support.ts";

describe("memory pair", () => {
  test("bytes go both ways, never from inside write", async () => {
    const [client, server] = memoryPair();
    const atClient = new Recorder(client);
    const atServer = new Recorder(server);
    client.write(Buffer.from("early"));
    client.attach(atClient);
    server.attach(atServer);
    const own = Buffer.from("mine");
    expect(client.write(own)).toBe(true);
    own.fill(0);
    server.write(Buffer.from("back"));
    expect(atServer.size).toBe(0);
    await until(() => atServer.size === 9 && atClient.size === 4);
    expect(atServer.bytes.toString()).toBe("earlymine");
    expect(atClient.bytes.toString()).toBe("back");
  });

  test("chunks as small as wished", async () => {
    const [client, server] = memoryPair({ chunkSize: 1 });
    const atServer = new Recorder(server);
    server.attach(atServer);
    client.write(pattern(300));
    await until(() => atServer.size === 300);
    expect(atServer.chunks.length).toBe(300);
    expect(atServer.bytes.equals(pattern(300))).toBe(true);
  });

  test("a side that has paused makes write answer false; drain follows resume", async () => {
    const [client, server] = memoryPair({ highWaterMark: 100 });
    const atClient = new Recorder(client);
    const atServer = new Recorder(server);
    client.attach(atClient);
    server.attach(atServer);
    server.pause();
    expect(client.write(pattern(99))).toBe(true);
    expect(client.write(pattern(1))).toBe(false);
    await Promise.resolve();
    expect([atServer.size, atClient.drains]).toEqual([0, 0]);
    server.resume();
    await until(() => atClient.drains === 1);
    expect(atServer.size).toBe(100);
  });

  test("pausing in the middle of a chunked write keeps the rest in order", async () => {
    const [client, server] = memoryPair({ chunkSize: 2 });
    const recorder = new Recorder(server);
    server.attach({
      data(bytes, start, end) {
        recorder.data(bytes, start, end);
        server.pause();
      },
      drain() {},
      closed() {},
    });
    client.write(Buffer.from("abcd"));
    client.write(Buffer.from("ef"));
    await until(() => recorder.size === 2);
    server.resume();
    await until(() => recorder.size === 4);
    server.resume();
    await until(() => recorder.size === 6);
    expect(recorder.bytes.toString()).toBe("abcdef");
  });

  test("end() delivers what was written and closes both sides once", async () => {
    const [client, server] = memoryPair();
    const atClient = new Recorder(client);
    const atServer = new Recorder(server);
    client.attach(atClient);
    server.attach(atServer);
    server.write(Buffer.from("bye"));
    server.end();
    client.write(Buffer.from("ignored"));
    await until(() => atClient.closes.length > 0 && atServer.closes.length > 0);
    client.destroy();
    server.end();
    await Promise.resolve();
    expect(atClient.bytes.toString()).toBe("bye");
    expect(atServer.size).toBe(0);
    expect([atClient.closes, atServer.closes]).toEqual([[undefined], [undefined]]);
    expect(client.write(Buffer.from("x"))).toBe(true);
  });

  test("end() towards a side that never reads gives up after the linger time", async () => {
    const [client, server] = memoryPair({ lingerTimeout: 5 });
    const atServer = new Recorder(server);
    server.attach(atServer);
    client.attach(new Recorder(client));
    client.pause();
    server.write(Buffer.from("unread"));
    server.end();
    await until(() => atServer.closes.length === 1);
  });

  test("destroy() closes both at once, also with a side that never attached", async () => {
    const [client, server] = memoryPair();
    const atClient = new Recorder(client);
    client.attach(atClient);
    server.destroy();
    expect(atClient.closes).toEqual([]);
    await until(() => atClient.closes.length === 1);
    const atServer = new Recorder(server);
    server.attach(atServer);
    await until(() => atServer.closes.length === 1);
  });
});
