import { Arena, Message, NEVER, TopicTable } from "@wrenmq/protocol";
import type { Connection } from "@wrenmq/transport";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  ForwardBatch,
  ForwardResult,
  ForwardTicket,
  homeOf,
  type LocalNode,
  LoopbackMesh,
  MeshBus,
  type Origin,
  Parcel,
  Stamps,
  stableHash,
  UNDATED,
} from "../src/index.ts";
import type { LinkEvents } from "../src/link-events.ts";
import { MeshLink } from "../src/mesh-link.ts";
import type { MeshPeer } from "../src/mesh-peer.ts";
import { PendingTickets } from "../src/pending-tickets.ts";
import { WIRE_VERSION } from "../src/wire/frame-type.ts";
import { openingFromText, openingToText } from "../src/wire/relay-info.ts";

function node(problems: Error[] = []): LocalNode {
  return {
    // Without zeros, as the broker has it: thousands of them are made here, and hardly a page of each is used.
    arena: new Arena(Buffer.allocUnsafeSlow(8 * 1024 * 1024)),
    topics: new TopicTable(),
    durable: false,
    origins: [],
    now: () => Date.now(),
    at: (time, callback) => {
      const timer = setTimeout(callback, time - Date.now());
      return () => clearTimeout(timer);
    },
    flushLater: (output) => queueMicrotask(() => output.flush()),
    routesKnown() {},
    routeSet() {},
    routeRemoved() {},
    groupSet() {},
    deliver: () => ForwardResult.Nobody,
    retainedFor: () => [][Symbol.iterator](),
    chooseAgain() {},
    originsTold() {},
    problem: (error) => problems.push(error),
  };
}

const origin: Origin = { store: "store-of-0", run: 2 ** 48 - 1 };

/** Two brokers; the second writes down which parcels it gets, and answers when it is asked to. */
async function twoBrokers(durable = true) {
  const topics = new TopicTable();
  const mesh = new LoopbackMesh();
  const got: number[] = [];
  const answers: (() => void)[] = [];
  const told: Origin[] = [];
  const start = async (self: number): Promise<MeshBus> => {
    const bus = new MeshBus({ self, count: 2, transport: mesh.member(self), startTimeout: 50 });
    bus.attach({
      ...node(),
      durable,
      origins: self === 0 ? [{ store: "store-of-0", run: 1 }, origin] : [],
      originsTold: (_peer, origins) => void told.push(...origins),
      deliver(peer, _message, arrived, sequence) {
        expect(arrived.origin).toEqual(origin);
        got.push(arrived.number);
        answers.push(() => bus.acknowledge(peer as MeshPeer, sequence, ForwardResult.Received));
        return ForwardResult.Later;
      },
    });
    await bus.start();
    return bus;
  };
  const [first, second] = await Promise.all([start(0), start(1)]);
  const settled: string[] = [];
  const send = (number: number, payload = new Uint8Array(1)): Parcel => {
    const content = {
      payload,
      qos: 2,
      retain: false,
      properties: undefined,
      expiresAt: NEVER,
      publisher: "p",
    } as const;
    const target = topics.find("t");
    if (target === undefined) throw new Error("no topic");
    const parcel = new Parcel(Message.of(target, content), origin, number);
    parcel.waiting = 1;
    parcel.whenSettled = () => {
      const { received, refused } = parcel;
      settled.push(`${number} ${received ? "received" : refused ? "refused" : "nobody"}`);
    };
    first.handOver(first.peers[0] as (typeof first.peers)[0], parcel, {
      plain: true,
      groups: undefined,
      retainedAt: 0,
    });
    return parcel;
  };
  const peer = first.peers[0] as (typeof first.peers)[0];
  const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
  onTestFinished(() => Promise.all([first.stop(), second.stop()]).then(() => undefined));
  return { first, peer, send, got, answers, settled, told, quiet, mesh, restart: () => start(1) };
}

describe("homes", () => {
  test("the hash is FNV-1a over UTF-8: data folders depend on it", () => {
    expect(stableHash("")).toBe(0x811c9dc5);
    expect(stableHash("a")).toBe(0xe40c292c);
    expect(stableHash("foobar")).toBe(0xbf9cf968);
  });

  test.each([
    ["that count", (index: number) => `client-${index}`],
    ["that count in steps of two", (index: number) => `device/${index * 2}`],
    ["of letters that come in pairs", (index: number) => index.toString(2).replace(/./g, "$&$&")],
  ])("names %s spread evenly", (_, name) => {
    for (const places of [2, 3, 4]) {
      const counts = new Array<number>(places).fill(0);
      for (let index = 0; index < 8000; index++) {
        const home = homeOf(name(index), places);
        counts[home] = (counts[home] as number) + 1;
      }
      for (const count of counts) expect(count).toBeGreaterThan(0.9 * (8000 / places));
    }
  });

  test("where names live does not change: data folders depend on it", () => {
    expect(["", "a", "client-1", "ä/b", "$SYS/x"].map((name) => homeOf(name, 1000))).toEqual([923, 715, 601, 166, 561]);
  });
});

describe("stamps", () => {
  test("grow, differ between brokers, and pass what was seen, whatever the clocks say", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1.7e12, max: 1.9e12 }))),
        (turns) => {
          const nodes = [new Stamps(0), new Stamps(1), new Stamps(63)];
          let last = UNDATED;
          for (const [at, now] of turns) {
            const stamps = nodes[at] as Stamps;
            stamps.seen(last);
            const stamp = stamps.next(now);
            expect(Number.isSafeInteger(stamp)).toBe(true);
            expect(stamp).toBeGreaterThan(last);
            last = stamp;
          }
        },
      ),
    );
  });
});

describe("tickets", () => {
  test("answers in any order find their ticket and its message, once", () => {
    const step = fc.record({ add: fc.boolean(), pick: fc.nat(), count: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 900 }), (steps) => {
        const pending = new PendingTickets();
        /** By sequence number: what is to be told when it is answered. */
        const open = new Map<number, string>();
        const told: string[] = [];
        let runs = 0;
        const settle = (sequence: number, count: number, answer: () => void): void => {
          const expected: string[] = [];
          for (let at = sequence; at < sequence + count; at++) {
            const name = open.get(at);
            if (name !== undefined) expected.push(name);
            open.delete(at);
          }
          told.length = 0;
          answer();
          expect(told).toEqual(expected);
        };
        for (const { add, pick, count } of steps) {
          if (add || open.size === 0) {
            const name = runs++;
            const run = new ForwardBatch(
              {
                batchSettled(_run, from, number) {
                  for (let index = from; index < from + number; index++) told.push(`${name}.${index}`);
                },
              },
              true,
            );
            for (let index = 0; index < count; index++) open.set(pending.add(run), `${name}.${index}`);
          } else {
            const sequences = [...open.keys()];
            const sequence = sequences[pick % sequences.length] as number;
            settle(sequence, count, () => pending.settle(sequence, count, ForwardResult.Received));
            settle(sequence, 1, () => pending.settle(sequence, 1, ForwardResult.Received));
          }
        }
        const first = Math.min(...open.keys());
        if (open.size > 0) settle(first, steps.length * 9, () => pending.settleAll(ForwardResult.Refused));
        expect(pending.size).toBe(0);
      }),
    );
  });

  test("a run takes no more messages once the peer has begun to answer", () => {
    const pending = new PendingTickets();
    const answers: number[][] = [];
    const run = new ForwardBatch({ batchSettled: (_run, from, count) => void answers.push([from, count]) }, false);
    for (let index = 0; index < 3; index++) pending.add(run);
    expect(run.isOpen).toBe(true);
    pending.settle(1, 2, ForwardResult.Received);
    expect(run.isOpen).toBe(false);
    pending.settle(0, 3, ForwardResult.Received);
    expect(answers).toEqual([
      [1, 2],
      [0, 1],
    ]);
  });

  test("the last answer settles, and what the others said is known", () => {
    const ticket = new ForwardTicket();
    ticket.waiting = 3;
    let isSettled = false;
    ticket.whenSettled = () => {
      isSettled = true;
    };
    ticket.settle(0, 1, ForwardResult.Nobody);
    ticket.settle(0, 1, ForwardResult.Received);
    expect(isSettled).toBe(false);
    ticket.settle(0, 1, ForwardResult.Refused);
    expect(isSettled).toBe(true);
    expect(ticket).toMatchObject({ received: true, refused: true, waiting: 0 });
  });
});

describe("parcels", () => {
  test("are sent again over every new link, in the order of their numbers, until they are answered", async () => {
    const { first, peer, send, got, answers, settled, told, quiet, mesh, restart } = await twoBrokers();
    expect(told).toEqual([{ store: "store-of-0", run: 1 }, origin]);
    for (const number of [3, 5, 6]) send(number);
    await quiet();
    answers[1]?.();
    await quiet();
    expect([got, settled]).toEqual([[3, 5, 6], ["5 received"]]);
    mesh.cut(1);
    await quiet();
    expect(settled).toEqual(["5 received"]);
    send(8);
    expect(first.waiting).toBe(3);
    answers.length = 0;
    got.length = 0;
    await restart();
    await quiet();
    expect(got).toEqual([3, 6, 8]);
    send(9);
    await quiet();
    for (const answer of answers) answer();
    await quiet();
    expect(got).toEqual([3, 6, 8, 9]);
    expect(settled).toEqual(["5 received", "3 received", "6 received", "8 received", "9 received"]);
    expect([first.waiting, peer.isBehind]).toEqual([0, false]);
  });

  test("an answer that comes over a link that is gone counts for nothing", async () => {
    const { send, answers, settled, got, quiet, mesh, restart } = await twoBrokers();
    send(1);
    await quiet();
    mesh.cut(1);
    await quiet();
    answers[0]?.();
    await restart();
    await quiet();
    expect([got, settled]).toEqual([[1, 1], []]);
  });

  test("for a peer whose sessions have ended with it there is nobody who gets them", async () => {
    const { first, send, settled, quiet, mesh } = await twoBrokers(false);
    send(1);
    await quiet();
    mesh.cut(1);
    await quiet();
    send(2);
    expect([settled, first.waiting]).toEqual([["1 nobody", "2 nobody"], 0]);
  });

  test("many bytes that are not answered make publishers wait, until they are", async () => {
    const { first, send, answers, quiet } = await twoBrokers();
    for (let number = 1; number <= 5; number++) send(number, new Uint8Array(4 * 1024 * 1024));
    expect(first.congested).toBe(true);
    let isRelieved = false;
    first.whenRelieved(() => {
      isRelieved = true;
    });
    await quiet();
    expect(first.congested).toBe(true);
    answers[0]?.();
    answers[1]?.();
    await quiet();
    expect([first.congested, isRelieved]).toEqual([false, true]);
  });

  test("for a peer that is away there is room for so many", async () => {
    const { first, peer, send, quiet, mesh } = await twoBrokers();
    mesh.cut(1);
    await quiet();
    const parcel = send(1, new Uint8Array(63 * 1024 * 1024));
    expect([first.isFull(peer, parcel.message), first.isFull(peer, send(2).message)]).toEqual([true, false]);
  });

  test("until a durable peer was heard of once it is not known what it wants", async () => {
    const mesh = new LoopbackMesh();
    const make = (self: number, durable: boolean): MeshBus => {
      const bus = new MeshBus({ self, count: 2, transport: mesh.member(self), startTimeout: 5 });
      bus.attach({ ...node(), durable });
      return bus;
    };
    const first = make(0, true);
    await first.start();
    expect(first.isUncertain).toBe(true);
    const second = make(1, true);
    await second.start();
    expect([first.isUncertain, second.isUncertain]).toEqual([false, false]);
    mesh.cut(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(first.isUncertain).toBe(false);
    expect(make(0, false).isUncertain).toBe(false);
    await Promise.all([first.stop(), second.stop()]);
  });
});

describe("links", () => {
  const ignore: LinkEvents<MeshLink> = {
    greeted() {},
    originsTold() {},
    routeSet() {},
    routeRemoved() {},
    groupSet() {},
    routesEnded() {},
    retainedEnded() {},
    forwarded: (_link, _message: Message) => ForwardResult.Received,
    answered() {},
    left() {},
    metricsTold() {},
    relayOpened: () => undefined,
    drained() {},
    closed() {},
  };

  /** Its memory is large: one for thousands of links. */
  const shared = node();

  function link(events = ignore): { readonly made: MeshLink; readonly written: Uint8Array[]; isDestroyed(): boolean } {
    let destroyed = false;
    const written: Uint8Array[] = [];
    const connection: Connection = {
      id: 0,
      info: { transport: "memory", remoteAddress: "", remotePort: undefined },
      write: (bytes) => {
        written.push(Uint8Array.from(bytes));
        return true;
      },
      pause() {},
      resume() {},
      end() {},
      destroy() {
        destroyed = true;
      },
    };
    return { made: new MeshLink(connection, shared, events), written, isDestroyed: () => destroyed };
  }

  test("each answer goes out once, also when there is no room left for it", () => {
    const { made, written } = link();
    // No two of them in sequence: each is a frame.
    const sequences = Array.from({ length: 20_000 }, (_, index) => index * 2);
    for (const sequence of sequences) made.answer(sequence, ForwardResult.Received);
    made.flush();
    const answered: number[] = [];
    const other = link({
      ...ignore,
      answered(_link, sequence, count) {
        expect(count).toBe(1);
        answered.push(sequence);
      },
    }).made;
    for (const bytes of written) other.data(bytes, 0, bytes.length);
    expect(answered).toEqual(sequences);
  });

  test("garbage ends the link and nothing else", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        const { made } = link();
        for (const chunk of chunks) made.data(chunk, 0, chunk.length);
      }),
      { numRuns: 500 },
    );
    const { made, isDestroyed } = link();
    const frame = new Uint8Array([0, 0, 0, 1, 99, 0]);
    made.data(frame, 0, frame.length);
    expect(isDestroyed()).toBe(true);
  });

  test("frames of known types with bodies of any kind end the link or are taken", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 21 }), fc.uint8Array({ maxLength: 80 }), (type, body) => {
        const { made } = link();
        const hello = new Uint8Array([0, 0, 0, 6, 1, WIRE_VERSION, 0, 1, 0, 2, 0]);
        made.data(hello, 0, hello.length);
        const frame = new Uint8Array([0, 0, 0, body.length, type, ...body]);
        made.data(frame, 0, frame.length);
      }),
      { numRuns: 500 },
    );
  });

  test("a broker that ends before it has greeted is dialed again", async () => {
    const mesh = new LoopbackMesh();
    await mesh.member(0).listen(() => undefined, undefined as never);
    const start = (self: number) => {
      const bus = new MeshBus({ self, count: 2, transport: mesh.member(self), startTimeout: 20 });
      bus.attach(node());
      onTestFinished(() => bus.stop());
      return bus.start().then(() => bus);
    };
    const second = await start(1);
    expect(second.peers.map(({ up }) => up)).toEqual([false]);
    await start(0);
    await expect.poll(() => second.peers.map(({ up }) => up)).toEqual([true]);
  });

  test("a broker of another cluster, or of another size of it, is turned away", async () => {
    const mesh = new LoopbackMesh();
    const problems: Error[] = [];
    const buses = [
      new MeshBus({ self: 0, count: 2, transport: mesh.member(0), startTimeout: 50 }),
      new MeshBus({ self: 1, count: 3, transport: mesh.member(1), startTimeout: 50 }),
    ] as const;
    for (const bus of buses) bus.attach(node(problems));
    await Promise.all(buses.map((bus) => bus.start()));
    expect(buses[0].peers[0]?.up).toBe(false);
    expect(problems.map(({ message }) => message)).toContainEqual(expect.stringMatching(/is not one of ours/));
    await Promise.all(buses.map((bus) => bus.stop()));
  });
});

test("what is known of a relayed connection survives the way, certificates included", () => {
  const opening = {
    listener: "tls",
    info: {
      transport: "wss",
      remoteAddress: "192.0.2.1",
      remotePort: 4711,
      localAddress: "192.0.2.2",
      localPort: 8883,
      headers: { host: "example.org" },
      tls: {
        authorized: true,
        protocol: "TLSv1.3",
        servername: "example.org",
        certificate: {
          subject: "CN=device",
          commonName: "device",
          subjectAltNames: ["DNS:device.example.org"],
          fingerprint256: "AA:BB",
          serialNumber: "01",
          raw: new Uint8Array([1, 2, 255]),
        },
      },
    },
  } as const;
  expect(openingFromText(openingToText(opening as never))).toEqual(opening);
  for (const text of ["", "null", "{}", '{"listener":1}', '{"listener":"a","info":null}']) {
    expect(() => openingFromText(text)).toThrow("malformed frame");
  }
});
