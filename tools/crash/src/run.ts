// One run: load, crash, start again, many times; then everything that was begun comes to its end and is checked.
import type { BrokerUnderTest } from "./brokers/broker-under-test.ts";
import { Random } from "./random.ts";
import { Scenario, sleep } from "./scenario.ts";
import { World } from "./world.ts";

export interface RunOptions {
  readonly broker: BrokerUnderTest;
  readonly kills: number;
  readonly seed: number;
  readonly qos: "1" | "2" | "both";
  /** Told after each crash. */
  readonly onKill?: (kills: number, world: World) => void;
  /** Done while the broker is down. */
  readonly whileDown?: (random: Random) => Promise<void>;
}

export interface RunResult {
  readonly problems: readonly string[];
  readonly kills: number;
  readonly stops: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly redelivered: number;
  /** What happened to those of whom it is told, in order. */
  readonly story: readonly string[];
  /** From the start of the process to a broker that listens, milliseconds: the longest. */
  readonly slowestStart: number;
}

/** @throws Error when the broker does not start */
export async function run({ broker, kills, seed, qos, onKill, whileDown }: RunOptions): Promise<RunResult> {
  // What the clients do must not change when crashes come at other moments.
  const random = new Random(seed);
  const world = new World(random.fork());
  world.forgets = broker.sharesProcess;
  world.refuses = broker.refuses;
  const scenario = new Scenario(world, { qos });
  let slowestStart = 0;
  let killed = 0;
  let stops = 0;
  const up = async (): Promise<void> => {
    const began = Date.now();
    world.port = await broker.start();
    world.tell("the broker listens");
    slowestStart = Math.max(slowestStart, Date.now() - began);
  };
  await up();
  await scenario.begin();
  while (killed < kills && world.problems.length === 0) {
    await sleep(random.between(30, 700));
    world.port = undefined;
    world.crashes++;
    world.tell("the broker ends");
    if (broker.sharesProcess) scenario.cutAll();
    if (random.chance(0.1)) {
      await broker.stop();
      stops++;
    } else {
      await broker.crash();
      killed++;
      onKill?.(killed, world);
    }
    await whileDown?.(random);
    if (killed < kills && !broker.sharesProcess && random.chance(0.1)) {
      // In the middle of its start.
      const starting = broker.start();
      await sleep(random.between(20, 400));
      await broker.crash();
      await starting;
      killed++;
      onKill?.(killed, world);
    }
    await up();
    if (random.chance(0.3)) await scenario.checkRetained();
  }
  await scenario.finish();
  await broker.stop();
  const { problems, story, acknowledged, delivered, redelivered } = world;
  return { problems, story, kills: killed, stops, acknowledged, delivered, redelivered, slowestStart };
}
