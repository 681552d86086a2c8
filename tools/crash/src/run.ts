// One run: load, crash, restart, many times; then everything in progress ends and is checked.
import type { BrokerUnderTest } from "./brokers/broker-under-test.ts";
import { Random } from "./random.ts";
import { Scenario } from "./scenario.ts";
import { realSurroundings } from "./surroundings.ts";
import { World } from "./world.ts";

export interface RunOptions {
  readonly broker: BrokerUnderTest;
  readonly kills: number;
  readonly seed: number;
  readonly qos: "1" | "2" | "both";
  /** Worker processes of the broker. Default 1. */
  readonly workers?: number;
  /** Milliseconds between two crashes, at least and at most. Default 30 to 700. */
  readonly pause?: readonly [number, number];
  /** Called after each crash. Default: nothing is called. */
  readonly onKill?: (kills: number, world: World) => void;
  /** Called while the broker is down. Default: nothing is called. */
  readonly whileDown?: (random: Random) => Promise<void>;
}

export interface RunResult {
  readonly problems: readonly string[];
  readonly kills: number;
  /** Number of times that one worker was killed while the others went on. */
  readonly workerKills: number;
  readonly stops: number;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly redelivered: number;
  /** The events of the clients that are traced, in order. */
  readonly story: readonly string[];
  /** Milliseconds of the slowest start, until the broker listens. */
  readonly slowestStart: number;
}

/** Milliseconds in which clients see that their connections have ended with a worker. */
const CLOSING = 20;

/** @throws Error when the broker does not start */
export async function run(options: RunOptions): Promise<RunResult> {
  const { broker, kills, seed, qos, workers = 1, pause = [30, 700], onKill, whileDown } = options;
  // The clients' actions must not depend on the moments of crashes.
  const random = new Random(seed);
  const world = new World(random.fork(), workers, broker.surroundings ?? realSurroundings);
  world.forgets = broker.forgets;
  // Messages that a worker has not answered when it ends are refused, unless their publisher must not send them again.
  world.refuses = broker.refuses ? [1, 2] : workers > 1 ? [1] : [];
  const scenario = new Scenario(world, { qos });
  let slowestStart = 0;
  let killed = 0;
  let workerKills = 0;
  let stops = 0;
  const up = async (): Promise<void> => {
    const began = world.now();
    world.port = await broker.start();
    world.tell("the broker listens");
    slowestStart = Math.max(slowestStart, world.now() - began);
  };
  await up();
  await scenario.begin();
  const ownEnds = (): readonly string[] => broker.ownEnds ?? [];
  while (killed < kills && world.problems.length + ownEnds().length === 0) {
    await world.sleep(random.between(...pause));
    const { port } = world;
    world.port = undefined;
    world.crashes++;
    if (broker.crashWorker !== undefined && workers > 1 && random.chance(0.4)) {
      world.tell("a worker ends");
      if (await broker.crashWorker(random)) {
        workerKills++;
        killed++;
        onKill?.(killed, world);
      }
      // Time for clients to see that their connections have ended.
      await world.sleep(CLOSING);
      world.port = port;
      continue;
    }
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
      // While it starts.
      const starting = broker.start();
      await world.sleep(random.between(20, 400));
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
  for (const what of ownEnds()) world.problem(what);
  const { problems, story, acknowledged, delivered, redelivered } = world;
  return { problems, story, kills: killed, workerKills, stops, acknowledged, delivered, redelivered, slowestStart };
}
