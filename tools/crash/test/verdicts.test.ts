// What the clients of a run may conclude: nothing from the speed of anything, and nothing from a connection whose process
// may have been killed.
import type { Packet } from "@wrenmq/codec";
import { expect, test } from "vitest";
import { EndingSession } from "../src/clients/ending-session.ts";
import type { LinkOwner } from "../src/clients/link.ts";
import { WillClient, Witness } from "../src/clients/will-client.ts";
import { Random } from "../src/random.ts";
import { SimTime } from "../src/simulation/sim-time.ts";
import { simulate } from "../src/simulation/simulate.ts";
import { World } from "../src/world.ts";

/** Chooses what a test wants. */
class Fixed extends Random {
  readonly #chance: boolean;

  constructor(chance: boolean) {
    super(1);
    this.#chance = chance;
  }

  override chance(): boolean {
    return this.#chance;
  }

  override pick<T>(from: readonly T[]): T {
    return from.at(-1) as T;
  }
}

/** A broker that says what the test says. */
function scripted(chance: boolean) {
  const time = new SimTime();
  const open = new Map<string, { readonly owner: LinkOwner; readonly sent: Packet[] }>();
  const world = new World(new Fixed(chance), 1, {
    now: () => time.now(),
    setTimer: (callback, milliseconds) => time.setTimer(callback, milliseconds),
    dial(_port, clientId, _version, owner, opened) {
      const sent: Packet[] = [];
      open.set(clientId, { owner, sent });
      time.setTimer(opened, 1);
      const destroy = (): void => {
        if (open.delete(clientId)) owner.closed();
      };
      return { send: (packet) => void sent.push(packet), destroy };
    },
  });
  world.port = 1883;
  const sent = (clientId: string) => open.get(clientId)?.sent.map(({ type }) => type) ?? [];
  return {
    world,
    /** Runs until the client has sent the packet; nothing: until it has no connection. */
    until(clientId: string, type: Packet["type"] | "nothing"): void {
      const isSo = (): boolean => (type === "nothing" ? !open.has(clientId) : sent(clientId).includes(type));
      for (let left = 5_000; !isSo(); left--) {
        if (left === 0) throw new Error(`${clientId} has sent ${sent(clientId)}, no ${type}`);
        time.pass(1);
      }
    },
    say: (clientId: string, packet: Packet) => open.get(clientId)?.owner.packet(packet),
    close(clientId: string): void {
      const { owner } = open.get(clientId) as { owner: LinkOwner };
      open.delete(clientId);
      owner.closed();
    },
    /** Kills a worker; its connections look open until `close`. */
    killWorker(): void {
      world.port = undefined;
      world.crashes++;
      time.pass(20);
      world.port = 1883;
    },
  };
}

const connack = (sessionPresent: boolean): Packet => ({ type: "connack", sessionPresent, reasonCode: 0 });

test.each([
  { isKilled: true, problems: [] },
  { isKilled: false, problems: ["will m:0 (MQTT 4) was sent"] },
])(
  "DISCONNECT on a connection whose process was killed proves nothing, another one does: $isKilled",
  ({ isKilled, problems }) => {
    const { world, until, say, close, killWorker } = scripted(false);
    const witness = new Witness(world, "w");
    const client = new WillClient(world, "m", 4, 0, witness);
    void witness.begin();
    until("w", "connect");
    say("w", connack(false));
    client.come();
    until("m", "connect");
    say("m", connack(false));
    if (isKilled) killWorker();
    until("m", "disconnect");
    close("m");
    const payload = new TextEncoder().encode("m:0");
    say("w", { type: "publish", topic: "w/m", payload, qos: 0, retain: false, dup: false });
    client.check();
    expect(world.problems).toEqual(problems);
  },
);

test.each([
  { isKilled: true, problems: [] },
  { isKilled: false, problems: ["g (MQTT 5): its session is back"] },
])(
  "the expiry of a session begins when the broker has closed its connection, if it was not killed: $isKilled",
  ({ isKilled, problems }) => {
    const { world, until, say, close, killWorker } = scripted(true);
    const client = new EndingSession(world, "g", 5);
    client.come();
    until("g", "connect");
    say("g", connack(false));
    until("g", "subscribe");
    // It cuts the connection, and comes back for a session that fades.
    until("g", "nothing");
    until("g", "connect");
    say("g", connack(true));
    if (isKilled) killWorker();
    until("g", "disconnect");
    close("g");
    until("g", "connect");
    say("g", connack(true));
    expect(world.problems).toEqual(problems);
  },
);

test("nothing counts as lost while a worker is down, however long", { timeout: 60_000 }, async () => {
  const { problems, workerKills } = await simulate({ seed: 2, kills: 1, powerFails: false, restartAfter: 60_000 });
  expect(problems).toEqual([]);
  expect(workerKills).toBe(1);
});
