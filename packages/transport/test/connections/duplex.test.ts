import { Duplex, PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { fromDuplex } from "../../src/index.ts";
import { gather, pattern, Recorder, until } from "../support.ts";

/** Two streams, each reading what the other writes. */
function joined(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      allowHalfOpen: true,
      read() {},
      write(chunk: Buffer, _encoding, done) {
        other().push(chunk);
        setImmediate(done);
      },
      final(done) {
        other().push(null);
        done();
      },
    });
  const left: Duplex = make(() => right);
  const right: Duplex = make(() => left);
  return [left, right];
}

describe("any Duplex as a connection", () => {
  test("bytes both ways, drain, and a clean end", async () => {
    const [near, far] = joined();
    const connection = fromDuplex(near, { remoteAddress: "serial0" });
    expect(connection.info).toMatchObject({ transport: "external", remoteAddress: "serial0" });
    const recorder = new Recorder(connection);
    const got = gather(far);
    far.write("before attach");
    connection.attach(recorder);
    await until(() => recorder.size === 13);
    const bytes = pattern(100_000);
    expect(connection.write(bytes)).toBe(false);
    await until(() => recorder.drains === 1 && got.size === bytes.length);
    connection.write(Buffer.from("last"));
    connection.end();
    far.on("end", () => far.end());
    await until(() => recorder.closes.length === 1);
    expect(got.bytes().subarray(-4).toString()).toBe("last");
    expect(recorder.closes).toEqual([undefined]);
  });

  test("a stream that keeps what it was given gets a copy", async () => {
    const through = new PassThrough();
    const connection = fromDuplex(through);
    const recorder = new Recorder(connection);
    const buffer = Buffer.from("first");
    while (!connection.write(buffer)) throw new Error("a PassThrough takes five bytes");
    buffer.fill("x");
    connection.attach(recorder);
    await until(() => recorder.size === 5);
    expect(recorder.bytes.toString()).toBe("first");
    connection.destroy();
  });

  test("an error of the stream is the reason of closing", async () => {
    const [near] = joined();
    const recorder = new Recorder(fromDuplex(near));
    recorder.connection.pause();
    const connection = fromDuplex(joined()[0]);
    connection.attach(recorder);
    connection.destroy();
    await until(() => recorder.closes.length === 1);
    const lost = fromDuplex(near);
    const second = new Recorder(lost);
    lost.attach(second);
    near.destroy(new Error("cable pulled"));
    await until(() => second.closes.length === 1);
    expect(second.closes[0]?.message).toBe("cable pulled");
  });
});
