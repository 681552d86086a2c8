// Links over a bus that loses, delays, repeats and cuts: what goes in at one end comes out at the other, in order and
// once, or the link ends.
import type { MeshMember } from "@wrenmq/cluster";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";
import { describe, expect, test } from "vitest";
import { NatsMesh } from "../src/index.ts";
import { random, SimBus, SimTime } from "./support/sim-world.ts";

const MEMBERS: readonly MeshMember[] = [
  { id: 0, run: 1 },
  { id: 1, run: 2 },
];
const GOOD = { lost: 0, repeated: 0, delay: 0 };

/** The owner of one end: writes when it may, and keeps what it gets. */
class Owner implements ConnectionHandler {
  received: number[] = [];
  sent: number[] = [];
  end: { readonly error: Error | undefined } | undefined;
  #waiting: Uint8Array[] = [];
  #mayWrite = true;
  connection: Connection | undefined;

  write(bytes: Uint8Array): void {
    this.sent.push(...bytes);
    this.#waiting.push(bytes);
    this.#pump();
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) this.received.push(bytes[at] as number);
  }

  drain(): void {
    this.#mayWrite = true;
    this.#pump();
  }

  closed(error: Error | undefined): void {
    expect(this.end).toBeUndefined();
    this.end = { error };
  }

  #pump(): void {
    while (this.#mayWrite) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) return;
      this.#mayWrite = this.connection?.write(bytes) === true;
      bytes.fill(0);
    }
  }
}

interface Pair {
  readonly time: SimTime;
  readonly bus: SimBus;
  readonly meshes: readonly NatsMesh[];
  readonly dialler: Owner;
  readonly listener: Owner;
}

/** Two members with a link that has been opened. */
async function pair(next: () => number, faults = GOOD): Promise<Pair> {
  const time = new SimTime();
  const bus = new SimBus(time, next, faults);
  const meshes = MEMBERS.map((member): NatsMesh => {
    const port = bus.port(
      member,
      (bytes) => mesh.received(bytes),
      () => mesh.busIsBack(),
    );
    const mesh = new NatsMesh(member, port, time);
    mesh.setMembers(MEMBERS);
    return mesh;
  });
  const [first, second] = meshes as [NatsMesh, NatsMesh];
  const dialler = new Owner();
  let listener = new Owner();
  await first.listen((connection) => {
    // A dial that was given up has left one behind.
    listener = new Owner();
    listener.connection = connection;
    return listener;
  });
  let isOpen = false;
  const dial = (): void => {
    second.dial(0).then((connection) => {
      dialler.connection = connection;
      connection.attach(dialler);
      isOpen = true;
    }, dial);
  };
  dial();
  await time.until(() => isOpen);
  return { time, bus, meshes, dialler, listener };
}

describe("a link over a bad bus", () => {
  test("every byte comes out once and in order, in both directions, for hundreds of seeds", async () => {
    for (let seed = 1; seed <= (Number(process.env["WREN_SEEDS"]) || 400); seed++) {
      const next = random(seed);
      const faults = { lost: next() * 0.3, repeated: next() * 0.3, delay: next() * 50 };
      const { time, bus, dialler, listener } = await pair(next, faults);
      for (let step = 0; step < 12; step++) {
        const writer = next() < 0.5 ? dialler : listener;
        const length = Math.floor(next() * 3_000);
        if (next() < 0.8) writer.write(Uint8Array.from({ length }, () => Math.floor(next() * 256)));
        if (next() < 0.2) bus.cut(Math.floor(next() * 2), next() * 3_000);
        await time.advance(next() * 200);
      }
      await time.until(() => listener.received.length >= dialler.sent.length);
      await time.until(() => dialler.received.length >= listener.sent.length);
      const ender = next() < 0.5 ? dialler : listener;
      ender.connection?.end();
      await time.until(() => dialler.end !== undefined && listener.end !== undefined);
      const same = Buffer.from(listener.received).equals(Buffer.from(dialler.sent));
      const back = Buffer.from(dialler.received).equals(Buffer.from(listener.sent));
      expect({ seed, same, back, ends: [dialler.end, listener.end] }).toEqual({
        seed,
        same: true,
        back: true,
        ends: [{ error: undefined }, { error: undefined }],
      });
    }
  });

  test("the writer waits while 4 MiB are not confirmed, and nothing is lost when the bus comes back", async () => {
    const { time, bus, dialler, listener, meshes } = await pair(random(1));
    bus.cut(0, 30_000);
    const piece = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7);
    for (let count = 0; count < 60; count++) dialler.write(piece.slice());
    await time.advance(20_000);
    expect(meshes[1]?.unconfirmed(0)).toBeGreaterThan(4 * 1024 * 1024);
    expect(meshes[1]?.unconfirmed(0)).toBeLessThan(4.6 * 1024 * 1024);
    expect(listener.received).toEqual([]);
    await time.until(() => listener.received.length === 6_000_000);
    expect(Buffer.from(listener.received).equals(Buffer.concat(Array.from({ length: 60 }, () => piece)))).toBe(true);
    await time.advance(100);
    expect(meshes[1]?.unconfirmed(0)).toBe(0);
  });
});

describe("the end of a link", () => {
  test("with its member, at once, and messages of it are not taken any more", async () => {
    const { time, dialler, listener, meshes } = await pair(random(2));
    meshes[0]?.setMembers([{ id: 0, run: 1 }]);
    await time.advance(1);
    expect(listener.end?.error?.message).toBe("member 1 is gone");
    dialler.write(Uint8Array.of(1, 2, 3));
    await time.advance(1_000);
    expect(listener.received).toEqual([]);
    expect(dialler.end).toBeUndefined();
  });

  test("what one end has forgotten the other learns, and a new link takes its place", async () => {
    const { time, dialler, listener, meshes } = await pair(random(3));
    listener.connection?.destroy();
    await time.advance(1_000);
    expect([dialler.end !== undefined, listener.end !== undefined]).toEqual([true, true]);
    let second: Connection | undefined;
    void meshes[1]?.dial(0).then((connection) => {
      second = connection;
    });
    await time.until(() => second !== undefined);
  });

  test("a member that does not listen is not reached, and nothing stays behind", async () => {
    const { time, listener, meshes, dialler } = await pair(random(4));
    dialler.connection?.end();
    await time.until(() => listener.end !== undefined);
    await meshes[0]?.close();
    let refused: Error | undefined;
    meshes[1]?.dial(0).catch((error: Error) => {
      refused = error;
    });
    await time.until(() => refused !== undefined);
    expect(refused?.message).toBe("member 0 does not answer");
    await meshes[1]?.close();
  });
});
