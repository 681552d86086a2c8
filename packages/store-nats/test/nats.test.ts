// Owners of a stream of real NATS servers, one and three.
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { contentsOf, describeStore, sampleMessage } from "@wrenmq/store/testing";
import { ReplicatedStore, type ReplicatedStoreOptions } from "@wrenmq/store-nats";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { subjectOf } from "../src/nats/nats-stream.ts";
import { newFolder } from "./support/folders.ts";
import { contentsAfter } from "./support/history.ts";
import { isNatsHere, NatsServers, permissions } from "./support/nats-servers.ts";
import { Owner } from "./support/owner.ts";

const STREAM = "WREN_test_J0";
const ALLOWED = permissions("*", subjectOf(STREAM).replace(/\d+$/, "*"));

let streams = 0;
const newStream = (): string => `WREN_test_J${++streams}`;

describe.skipIf(!isNatsHere).each([
  ["one server", 1],
  ["three servers", 3],
])("%s", (_, count) => {
  let servers: NatsServers;
  let nats: NatsConnection;
  let owners: Owner[] = [];

  beforeAll(async () => {
    servers = await NatsServers.start(count, ALLOWED);
    nats = await servers.connect();
  }, 60_000);
  afterEach(async () => {
    await Promise.all(owners.map((owner) => owner.dispose()));
    owners = [];
  });
  afterAll(async () => {
    await nats.close();
    await servers[Symbol.asyncDispose]();
  });

  function newOwner(stream: string, options: Partial<ReplicatedStoreOptions> = {}): Owner {
    const owner = new Owner(`owner ${owners.length}`, nats, { stream, replicas: count, ...options });
    owners.push(owner);
    return owner;
  }

  /** Writes so many batches, a few at a time, until all are acknowledged. */
  async function write(owner: Owner, batches: number): Promise<void> {
    const until = owner.applied + batches;
    while (owner.applied < until) {
      for (let some = 0; some < 7 && owner.applied < until; some++) owner.apply();
      await owner.store.apply([]);
    }
    expect(owner.acknowledged).toBe(until);
  }

  test("an heir has what was acknowledged, and the former owner is refused", { timeout: 60_000 }, async () => {
    const stream = newStream();
    const owner = newOwner(stream, { segmentBytes: 5_000 });
    await owner.open();
    await write(owner, 500);
    const heir = newOwner(stream);
    await heir.open();
    expect(contentsOf(heir.store)).toEqual(contentsAfter(500));
    owner.apply();
    await expect(owner.store.apply([])).rejects.toMatchObject({
      code: "ERR_STORE_DEPOSED",
      message: `owner "owner 1" has taken over stream ${stream}`,
    });
    expect(owner).toMatchObject({ acknowledged: 500, deposed: 1, pending: 0, faults: [] });
    await write(heir, 10);
    const manager = await jetstreamManager(nats, { checkAPI: false });
    const { state, config } = await manager.streams.info(stream);
    expect(state.first_seq).toBeGreaterThan(10);
    expect(config.num_replicas).toBe(count);
  });

  test("a batch of twenty megabytes goes in parts and comes back whole", { timeout: 60_000 }, async () => {
    const stream = newStream();
    const owner = newOwner(stream);
    await owner.open();
    const payload = new Uint8Array(20_000_000).map((_, index) => index * 7);
    await owner.store.apply([{ op: "putRetained", message: sampleMessage({ topic: "big", payload }) }]);
    const heir = newOwner(stream);
    await heir.open();
    const [message] = [...heir.store.retained()];
    expect(Buffer.compare(message?.payload ?? new Uint8Array(), payload)).toBe(0);
  });

  test.runIf(count === 3)("too few servers for the replicas: it says so, and waits", { timeout: 60_000 }, async () => {
    const owner = newOwner(newStream(), { replicas: 5 });
    const opening = owner.open().catch((error: unknown) => error);
    await expect
      .poll(() => owner.notices, { timeout: 20_000 })
      .toMatchObject([{ notice: "waiting", reason: expect.stringMatching(/^NATS cannot keep 5 replicas of stream /) }]);
    await owner.store.close();
    expect(await opening).toMatchObject({ code: "ERR_STORE_CLOSED" });
  });

  test.runIf(count === 3)(
    "the stream's leader is killed, and all are: nothing acknowledged is lost",
    {
      timeout: 240_000,
    },
    async () => {
      const stream = newStream();
      const owner = newOwner(stream, { segmentBytes: 20_000, closeTimeout: 60_000 });
      await owner.open();
      let isWriting = true;
      const writing = (async () => {
        while (isWriting) {
          for (let some = 0; some < 5; some++) owner.apply();
          await owner.store.apply([]);
        }
      })();
      const more = async (): Promise<void> => {
        const before = owner.acknowledged;
        await expect.poll(() => owner.acknowledged, { timeout: 100_000 }).toBeGreaterThan(before + 100);
      };
      await more();
      const manager = await jetstreamManager(nats, { checkAPI: false });
      const { cluster } = await manager.streams.info(stream);
      const leader = servers.indexOf(cluster?.leader);
      await servers.kill(leader);
      await more();
      servers.start(leader);
      await more();
      await servers.killAll();
      servers.startAll();
      await more();
      isWriting = false;
      await writing;
      const heir = newOwner(stream);
      await heir.open();
      expect(heir.base).toBe(owner.acknowledged);
      expect(contentsOf(heir.store)).toEqual(contentsAfter(heir.base));
      expect(owner.faults).toEqual([]);
    },
  );
});

describe.skipIf(!isNatsHere)("NATS that does not do what is needed", () => {
  async function refused(
    allowed: object,
    options: Partial<ReplicatedStoreOptions> = {},
    isSecond = false,
  ): Promise<unknown> {
    await using servers = await NatsServers.start(1, allowed);
    const nats = await servers.connect();
    if (isSecond) {
      const first = new Owner("first", nats);
      await first.open();
      await first.dispose();
    }
    const owner = new Owner("owner", nats, options);
    try {
      return await owner.open().then(
        () => "opened",
        (error: unknown) => error,
      );
    } finally {
      await owner.dispose();
      await nats.close();
    }
  }

  test("three replicas on one server", async () => {
    expect(await refused(ALLOWED, { replicas: 3 })).toMatchObject({
      code: "ERR_STORE_OPEN",
      message: expect.stringMatching(/^NATS cannot keep 3 replicas of stream WREN_test_J0: replicas > 1 not supported/),
    });
  });

  test.each([
    "wren.test.j.0",
    "$JS.API.STREAM.INFO.WREN_test_J0",
    "$JS.API.STREAM.CREATE.WREN_test_J0",
    "$JS.API.STREAM.MSG.GET.WREN_test_J0",
    "$JS.API.CONSUMER.CREATE.WREN_test_J0",
    "$JS.API.CONSUMER.MSG.NEXT.WREN_test_J0",
  ])("no permission for %s", async (lacking) => {
    const publish = ALLOWED.publish.filter((subject) => !subject.startsWith(lacking.replace(/(WREN_test_J)?0$/, "")));
    expect(publish).toHaveLength(ALLOWED.publish.length - 1);
    // The second owner finds messages there.
    expect(await refused({ ...ALLOWED, publish }, {}, lacking.includes("GET"))).toMatchObject({
      code: "ERR_STORE_OPEN",
      message: expect.stringContaining(`NATS does not permit what stream WREN_test_J0 needs: publish to ${lacking}`),
    });
  });

  test("a stream of this name for other subjects", async () => {
    await using servers = await NatsServers.start(1, { publish: [">"], subscribe: [">"] });
    const nats = await servers.connect();
    const manager = await jetstreamManager(nats, { checkAPI: false });
    await expect
      .poll(
        () =>
          manager.streams.add({ name: STREAM, subjects: ["other"] }).then(
            () => true,
            () => false,
          ),
        {
          timeout: 20_000,
        },
      )
      .toBe(true);
    const owner = new Owner("owner", nats);
    await expect(owner.open()).rejects.toMatchObject({
      code: "ERR_STORE_OPEN",
      message: "stream WREN_test_J0 is there, but not for subject wren.test.j.0 alone",
    });
    await owner.dispose();
    await nats.close();
  });
});

if (isNatsHere) {
  let servers: NatsServers;
  let nats: NatsConnection;
  beforeAll(async () => {
    servers = await NatsServers.start(1, ALLOWED);
    nats = await servers.connect();
  }, 60_000);
  afterAll(async () => {
    await nats.close();
    await servers[Symbol.asyncDispose]();
  });
  describeStore(
    "ReplicatedStore, nats-server",
    () => {
      const stream = newStream();
      const directory = newFolder();
      return {
        make: () =>
          new ReplicatedStore({ directory, stream, connection: nats, replicas: 1, owner: "o", onDeposed: () => {} }),
        dispose: () => {},
      };
    },
    { runs: 5 },
  );
}
