// The doorway of a process with shards: where it passes connections on, and what waits while a shard is on its way.
import { homeOf, RelayConnection } from "@wrenmq/cluster";
import type { Connection, ConnectionHandler } from "@wrenmq/transport";
import { expect, test } from "vitest";
import { emptyView, type View } from "../src/membership/view.ts";
import { DoorwayPlacement } from "../src/shards/doorway-placement.ts";
import { SimTime } from "./support/sim-world.ts";

const SHARDS = 6;
const HEAD = new TextEncoder().encode("head");
const CLIENT = { clientId: "client", listener: "main" };
const SHARD = homeOf(CLIENT.clientId, SHARDS);

class FakeConnection {
  readonly calls: string[] = [];
  pause(): void {
    this.calls.push("pause");
  }
  resume(): void {
    this.calls.push("resume");
  }
  destroy(): void {
    this.calls.push("destroy");
  }
}

function handlerOf(got: string[]): ConnectionHandler {
  return {
    data: (bytes, start, end) => void got.push(new TextDecoder().decode(bytes.subarray(start, end))),
    drain: () => void got.push("drain"),
    closed: () => void got.push("closed"),
  };
}

function world(owner: number | null) {
  const time = new SimTime();
  const base = emptyView(4, SHARDS, true);
  let view: View = { ...base, owners: base.owners.map(() => owner) };
  const relayed: number[] = [];
  let linked = true;
  const got: string[] = [];
  const doorway = new DoorwayPlacement({
    self: 0,
    clock: time,
    view: () => view,
    bus: {
      relay: (id, _connection, _listener, head) => {
        if (!linked) return undefined;
        relayed.push(id);
        const handler = handlerOf(got);
        handler.data(head, 0, head.length);
        return handler;
      },
    },
  });
  const fake = new FakeConnection();
  const connection = fake as unknown as Connection;
  return {
    time,
    doorway,
    relayed,
    got,
    fake,
    connection,
    setOwner(next: number | null) {
      view = { ...view, owners: view.owners.map(() => next) };
      doorway.viewed();
    },
    setLinked(next: boolean) {
      linked = next;
    },
  };
}

test("a client of a shard of this process goes there without a hop; one of another is relayed to its member", () => {
  const { doorway, connection, relayed, got } = world(1);
  expect(doorway.handOver(connection, CLIENT, HEAD)).not.toBe("lost");
  expect([relayed, got]).toEqual([[1], ["head"]]);
  const here: string[] = [];
  const end = doorway.serve(SHARD, () => handlerOf(here));
  doorway.handOver(connection, CLIENT, HEAD);
  expect([relayed, here]).toEqual([[1], ["head"]]);
  end();
  doorway.handOver(connection, CLIENT, HEAD);
  expect(relayed).toEqual([1, 1]);
});

test("while nobody has the shard the connection is not read; it goes on where the shard comes up", async () => {
  const { doorway, connection, fake, time } = world(0);
  const handler = doorway.handOver(connection, CLIENT, HEAD) as ConnectionHandler;
  expect(fake.calls).toEqual(["pause"]);
  handler.data(new TextEncoder().encode("-more-"), 1, 5);
  await time.advance(5_000);
  const here: string[] = [];
  doorway.serve(SHARD, () => handlerOf(here));
  expect(here).toEqual(["headmore"]);
  expect(fake.calls).toEqual(["pause", "resume"]);
  handler.data(HEAD, 0, 1);
  handler.drain();
  handler.closed(undefined);
  expect(here).toEqual(["headmore", "h", "drain", "closed"]);
  await time.advance(60_000);
  expect(fake.calls).toEqual(["pause", "resume"]);
});

test("it goes to another member when the view says so, as soon as there is a link", async () => {
  const { doorway, connection, relayed, setOwner, setLinked, time } = world(null);
  setLinked(false);
  doorway.handOver(connection, CLIENT, HEAD);
  setOwner(2);
  expect(relayed).toEqual([]);
  setLinked(true);
  await time.advance(500);
  expect(relayed).toEqual([2]);
});

test("after ten seconds it is closed, and so is what waits when the process closes", async () => {
  const { doorway, connection, fake, time } = world(null);
  doorway.handOver(connection, CLIENT, HEAD);
  await time.advance(11_000);
  expect(fake.calls).toEqual(["pause", "destroy"]);
  doorway.handOver(connection, CLIENT, HEAD);
  doorway.close();
  expect(fake.calls).toEqual(["pause", "destroy", "pause", "destroy"]);
  expect(doorway.handOver(connection, CLIENT, HEAD)).toBe("lost");
});

test("what another member has relayed here is never relayed on", () => {
  const { doorway, relayed } = world(1);
  const link = { relayData() {}, relayCredit() {}, relayEnd() {}, relayClosed() {} };
  const info = { transport: "tcp", remoteAddress: "127.0.0.1", remotePort: 1 } as const;
  doorway.handOver(new RelayConnection(info, link, 1), CLIENT, HEAD);
  expect(relayed).toEqual([]);
});

test("a client without an identifier goes to any shard, here if there is one", () => {
  const { doorway, connection, relayed } = world(3);
  doorway.handOver(connection, { clientId: "", listener: "main" }, HEAD);
  expect(relayed).toEqual([3]);
  const here: string[] = [];
  doorway.serve(4, () => handlerOf(here));
  doorway.handOver(connection, { clientId: "", listener: "main" }, HEAD);
  expect(here).toEqual(["head"]);
  expect([doorway.isHome(), doorway.isHomeless()]).toEqual([false, true]);
});
