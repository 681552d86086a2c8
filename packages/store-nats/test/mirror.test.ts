// One owner and its stream: what is sent when, and what happens when the stream does not answer.
import { contentsOf, sampleEntry, sampleMessage, sampleSession } from "@wrenmq/store/testing";
import { ReplicatedStore, type ReplicatedStoreOptions } from "@wrenmq/store-nats";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeStream, NO_FAULTS, Port } from "./support/fake-stream.ts";
import { contentsAfter } from "./support/history.ts";
import { Owner } from "./support/owner.ts";
import { random, SimTime } from "./support/sim-time.ts";

let time: SimTime;
let stream: FakeStream;
let owners: Owner[];

beforeEach(() => {
  time = new SimTime();
  stream = new FakeStream();
  owners = [];
});
afterEach(async () => {
  await time.until(Promise.all(owners.map((owner) => owner.dispose())));
});

function newPort(longest?: number): Port {
  return new Port(stream, time, random(owners.length), NO_FAULTS, longest);
}

async function newOwner(port = newPort(), options: Partial<ReplicatedStoreOptions> = {}): Promise<Owner> {
  const owner = new Owner(`owner ${owners.length}`, port, { clock: time, ...options });
  owners.push(owner);
  await time.until(owner.open());
  return owner;
}

const write = (owner: Owner, count: number): void => {
  for (let written = 0; written < count; written++) owner.apply();
};

describe("group commit", () => {
  test("what is written in one turn is one message, and so is what is written while it is under way", async () => {
    const owner = await newOwner(newPort(1024 * 1024));
    const before = stream.last;
    write(owner, 10);
    await time.advance(0);
    write(owner, 10);
    await time.advance(0);
    write(owner, 10);
    expect(owner.store.replication()).toMatchObject({ pendingFrames: 30 });
    await time.advance(10);
    expect(owner.acknowledged).toBe(30);
    expect(stream.last).toBe(before + 2);
    expect(owner.store.replication()).toEqual({ sequence: stream.last, pendingFrames: 0, pendingBytes: 0 });
  });

  test("a message is not longer than the stream takes, and a batch that is longer goes in parts", async () => {
    const owner = await newOwner(newPort(500));
    write(owner, 40);
    await time.advance(1_000);
    expect(owner.acknowledged).toBe(40);
    expect(Math.max(...stream.messages.map(({ length }) => length))).toBeLessThanOrEqual(500);
    const heir = await newOwner();
    expect(contentsOf(heir.store)).toEqual(contentsAfter(40));
  });

  test("a batch of which only some parts were sent when another took over does not count", async () => {
    const port = newPort(300);
    const owner = await newOwner(port);
    write(owner, 1);
    await time.advance(1_000);
    const session = sampleMessage({ topic: "progress", payload: new Uint8Array(3_000), retain: true });
    const big = owner.store.apply([{ op: "putRetained", message: session }]) as Promise<void>;
    const before = stream.last;
    while (stream.last < before + 3) await time.advance(1);
    port.isThere = false;
    const heir = await newOwner();
    expect(contentsOf(heir.store)).toEqual(contentsAfter(1));
    port.isThere = true;
    await expect(time.until(big)).rejects.toMatchObject({ code: "ERR_STORE_DEPOSED" });
  });

  test("a batch without effect is acknowledged when those before it are", async () => {
    const owner = await newOwner();
    expect(owner.store.apply([])).toBeUndefined();
    write(owner, 1);
    const durable = owner.store.apply([{ op: "settle", clientId: "nobody", seq: 1 }]);
    expect(durable).toBeInstanceOf(Promise);
    await time.until(durable as Promise<void>);
    expect(owner.acknowledged).toBe(1);
  });
});

describe("a stream that does not answer", () => {
  test("an acknowledgement that is lost: the stream is asked, and nothing is sent twice", async () => {
    const port = newPort();
    const owner = await newOwner(port);
    const before = stream.last;
    const append = stream.append.bind(stream);
    stream.append = (message, expected) => {
      const appended = append(message, expected);
      port.cut(5);
      return appended;
    };
    write(owner, 1);
    await time.advance(10_000);
    expect(owner.acknowledged).toBe(1);
    expect(stream.last).toBe(before + 1);
  });

  test("it waits, says so once, and goes on when the stream is back", async () => {
    const port = newPort();
    const owner = await newOwner(port);
    port.isThere = false;
    write(owner, 5);
    await time.advance(60_000);
    expect(owner.acknowledged).toBe(0);
    expect(owner.pending).toBe(5);
    expect(owner.notices).toEqual([{ notice: "waiting", stream: "WREN_test_J0", reason: "there is no connection" }]);
    port.isThere = true;
    await time.advance(1_000);
    expect(owner.acknowledged).toBe(5);
    expect(owner.notices.slice(1)).toEqual([{ notice: "goesOn", stream: "WREN_test_J0" }]);
    expect(owner.faults).toEqual([]);
  });

  test("what waits is bounded: then batches are refused, and none of them is applied", async () => {
    const port = newPort();
    const owner = await newOwner(port, { maxPendingBytes: 2_000 });
    port.isThere = false;
    const { store } = owner;
    void store.apply([{ op: "putSession", record: sampleSession("c") }]);
    const enqueue = (seq: number): unknown => {
      const message = sampleMessage({ payload: new Uint8Array(500) });
      return store.apply([{ op: "enqueue", clientId: "c", entry: sampleEntry(seq, { messageId: seq }), message }]);
    };
    let seq = 1;
    expect(() => {
      for (; seq < 100; seq++) enqueue(seq);
    }).toThrow(expect.objectContaining({ code: "ERR_STORE_FULL" }));
    expect(seq).toBeLessThan(6);
    expect(store.stats().messages).toBe(seq - 1);
    port.isThere = true;
    await time.advance(1_000);
    expect(enqueue(seq)).toBeInstanceOf(Promise);
    await time.advance(1_000);
    expect(store.replication().pendingFrames).toBe(0);
  });

  test("closing waits for acknowledgements, but not for ever", async () => {
    const port = newPort();
    const owner = await newOwner(port, { closeTimeout: 3_000 });
    const durable = owner.store.apply([{ op: "putIdentity", identity: "one" }]) as Promise<void>;
    await time.until(owner.store.close());
    await durable;
    await time.until(owner.store.open());
    expect(owner.store.identity()).toBe("one");
    port.isThere = false;
    const lost = owner.store.apply([{ op: "putIdentity", identity: "two" }]) as Promise<void>;
    const outcome = lost.catch((error: unknown) => error);
    const closing = owner.store.close();
    expect(() => owner.store.apply([])).toThrow(expect.objectContaining({ code: "ERR_STORE_CLOSED" }));
    const since = time.now();
    await time.until(closing);
    expect(time.now() - since).toBe(3_000);
    expect(await outcome).toMatchObject({ code: "ERR_STORE_CLOSED" });
    port.isThere = true;
  });

  test("opening waits for the stream, until the store is closed", async () => {
    const port = newPort();
    port.isThere = false;
    const owner = new Owner("owner", port, { clock: time });
    owners.push(owner);
    const opening = owner.open().catch((error: unknown) => error);
    await time.advance(60_000);
    expect(owner.notices).toMatchObject([{ notice: "waiting" }]);
    await time.until(owner.store.close());
    expect(await opening).toMatchObject({ code: "ERR_STORE_CLOSED" });
    port.isThere = true;
    await time.until(owner.open());
    write(owner, 1);
    await time.advance(10);
    expect(owner.acknowledged).toBe(1);
  });

  test("acknowledged messages that the stream has lost are named", async () => {
    const owner = await newOwner();
    write(owner, 1);
    await time.advance(10);
    stream.messages.pop();
    write(owner, 1);
    await time.advance(10_000);
    expect(owner.acknowledged).toBe(1);
    expect(owner.notices).toEqual([
      {
        notice: "waiting",
        stream: "WREN_test_J0",
        reason: "messages 2 to 2 of stream WREN_test_J0 were acknowledged, and are lost",
      },
    ]);
  });
});

describe("a successor", () => {
  test("what waits is rejected, and all that comes later; it is told once, with its name", async () => {
    const port = newPort();
    const owner = await newOwner(port);
    port.isThere = false;
    write(owner, 3);
    await time.advance(10);
    const heir = await newOwner();
    port.isThere = true;
    await time.advance(1_000);
    expect(owner).toMatchObject({ deposed: 1, pending: 0, acknowledged: 0 });
    await expect(owner.store.apply([])).rejects.toMatchObject({
      code: "ERR_STORE_DEPOSED",
      message: 'owner "owner 1" has taken over stream WREN_test_J0',
    });
    write(owner, 3);
    await time.advance(1_000);
    expect(owner).toMatchObject({ deposed: 1, pending: 0, acknowledged: 0, faults: [] });
    expect(contentsOf(heir.store)).toEqual(contentsAfter(0));
  });

  test("is not deposed by itself when the answer to its first message is a refusal of its repetition, and the next is lost", async () => {
    const port = newPort();
    const append = port.append.bind(port);
    let calls = 0;
    port.append = async (message, expected) => {
      calls++;
      if (calls === 1) stream.append(new Uint8Array(message), expected);
      const appended = await append(message, expected);
      if (calls === 2) throw new Error("no answer");
      return appended;
    };
    const owner = await newOwner(port);
    write(owner, 1);
    await time.advance(1_000);
    expect(owner).toMatchObject({ acknowledged: 1, deposed: 0 });
  });

  test("takes over from an owner that never stops to write", async () => {
    const owner = await newOwner();
    let isWriting = true;
    const loop = async (): Promise<void> => {
      while (isWriting) {
        write(owner, 1);
        await time.advance(0.2);
      }
    };
    const writing = loop();
    const heir = new Owner("heir", newPort(), { clock: time });
    owners.push(heir);
    await heir.open();
    isWriting = false;
    await writing;
    await time.advance(1_000);
    expect(owner).toMatchObject({ deposed: 1, pending: 0, faults: [] });
    expect(heir.base).toBeGreaterThanOrEqual(owner.acknowledged);
    expect(contentsOf(heir.store)).toEqual(contentsAfter(heir.base));
  });

  test("begins again when the former owner removes messages while they are read", async () => {
    const first = newPort();
    let needed = 0;
    first.purge = async (from) => {
      needed = from;
    };
    const owner = await newOwner(first, { segmentBytes: 1_000 });
    for (let round = 0; round < 40; round++) {
      write(owner, 1);
      await time.advance(10);
    }
    expect(needed).toBeGreaterThan(20);
    const port = newPort();
    let taken = 0;
    const read = port.read.bind(port);
    port.read = (from, to, each) =>
      read(from, to, (sequence, message) => {
        each(sequence, message);
        // The last request of the former owner is late.
        if (++taken === 10) stream.purge(needed);
      });
    const heir = await newOwner(port);
    expect(taken).toBeGreaterThan(stream.messages.length);
    expect(contentsOf(heir.store)).toEqual(contentsAfter(40));
  });
});

describe("removing what is not needed", () => {
  test("the stream stays as small as the journal, and is whole", { timeout: 60_000 }, async () => {
    const owner = await newOwner(newPort(100_000), { segmentBytes: 10_000 });
    for (let round = 0; round < 300; round++) {
      write(owner, 5);
      await time.advance(10);
    }
    expect(owner.acknowledged).toBe(1_500);
    expect(stream.purges).toBeGreaterThan(5);
    expect(stream.bytes).toBeLessThan(owner.store.stats().bytes + 30_000);
    const heir = await newOwner(newPort(), { segmentBytes: 10_000 });
    expect(contentsOf(heir.store)).toEqual(contentsAfter(1_500));
    // It knows which messages its files have, too.
    const purges = stream.purges;
    for (let round = 0; round < 60; round++) {
      write(heir, 5);
      await time.advance(100);
    }
    expect(stream.purges).toBeGreaterThan(purges);
    const third = await newOwner();
    expect(contentsOf(third.store)).toEqual(contentsAfter(1_800));
  });

  test("nothing is removed before what it was replaced with is acknowledged", async () => {
    const port = newPort(100_000);
    const owner = await newOwner(port, { segmentBytes: 1_000 });
    write(owner, 3);
    await time.advance(10);
    port.broken.set("append", () => new Error("full"));
    for (let round = 0; round < 40; round++) {
      write(owner, 1);
      await time.advance(10);
    }
    expect(stream.purges).toBe(0);
    port.broken.delete("append");
    await time.advance(1_000);
    expect(stream.purges).toBeGreaterThan(0);
    const heir = await newOwner();
    expect(contentsOf(heir.store)).toEqual(contentsAfter(43));
  });

  test("what cannot be removed is told once, and removed later", async () => {
    const port = newPort(100_000);
    const owner = await newOwner(port, { segmentBytes: 1_000 });
    port.broken.set("purge", () => new Error("not permitted"));
    for (let round = 0; round < 40; round++) {
      write(owner, 1);
      await time.advance(10);
    }
    expect(owner.acknowledged).toBe(40);
    expect(owner.notices).toEqual([{ notice: "notPurged", stream: "WREN_test_J0", reason: "not permitted" }]);
    port.broken.delete("purge");
    write(owner, 1);
    await time.advance(100);
    expect(stream.first).toBeGreaterThan(20);
  });
});

describe("a stream that cannot be read", () => {
  async function refused(): Promise<{ error: unknown; last: number }> {
    const owner = new Owner("reader", newPort(), { clock: time });
    owners.push(owner);
    const error = await time.until(owner.open().catch((thrown: unknown) => thrown));
    return { error, last: stream.last };
  }

  test("messages that are not ours are refused, and nobody is deposed", async () => {
    stream.messages.push(new TextEncoder().encode("something that somebody has published there"));
    expect(await refused()).toMatchObject({
      error: {
        code: "ERR_STORE_DAMAGED",
        message: "stream WREN_test_J0 cannot be read: message 1: it is not a message of WrenMQ",
      },
      last: 1,
    });
  });

  test("a newer format is refused, and nobody is deposed", async () => {
    const owner = await newOwner();
    write(owner, 1);
    await time.advance(10);
    (stream.messages.at(-1) as Uint8Array)[2] = 9;
    const { last } = stream;
    const refusal = await refused();
    expect(refusal.error).toMatchObject({ code: "ERR_STORE_FORMAT" });
    expect(refusal.last).toBe(last);
    expect(String(refusal.error)).toMatch(/message 2: it has format 9\.\d, this version of WrenMQ reads up to 1\.\d/);
  });

  test.each([
    ["a byte has changed", () => (stream.messages[2] as Uint8Array).fill(1, 40, 41), /message 3: its checksum/],
    ["a message is missing", () => stream.messages.splice(2, 1), /message 3: it is message 3 of epoch 1 in place of 2/],
    ["the oldest ones are missing", () => stream.purge(4), /older frames are missing/],
  ])("%s", async (_, damage, expected) => {
    const owner = await newOwner();
    for (let round = 0; round < 10; round++) {
      write(owner, 1);
      await time.advance(10);
    }
    damage();
    const { error } = await refused();
    expect(error).toMatchObject({ code: "ERR_STORE_DAMAGED" });
    expect(String(error)).toMatch(expected);
  });
});

test("a directory that another store uses is refused before the stream is touched", async () => {
  const owner = await newOwner();
  const { last } = stream;
  const second = new ReplicatedStore({
    directory: owner.directory,
    stream: "WREN_test_J0",
    connection: newPort(),
    replicas: 1,
    owner: "second",
    clock: time,
    onDeposed: () => {},
  });
  await expect(time.until(second.open())).rejects.toMatchObject({ code: "ERR_STORE_LOCKED" });
  expect(stream.last).toBe(last);
});

test("an error that is of no use to try again ends the opening", async () => {
  const port = newPort();
  const { StoreError } = await import("@wrenmq/store");
  port.broken.set("create", () => new StoreError("ERR_STORE_OPEN", "NATS cannot keep 3 replicas"));
  const owner = new Owner("owner", port, { clock: time });
  owners.push(owner);
  await expect(time.until(owner.open())).rejects.toMatchObject({ message: "NATS cannot keep 3 replicas" });
});
