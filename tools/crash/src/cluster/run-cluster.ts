// A run against a cluster: load, an event, until clients get on, many times; then everything in progress ends and is
// checked.
import { Random } from "../random.ts";
import { Scenario } from "../scenario.ts";
import { World } from "../world.ts";
import { ClusterUnderTest } from "./cluster-under-test.ts";
import { type Event, eventsOf, pickEvent, untilWhole } from "./events.ts";

export interface ClusterRunOptions {
  /** Path of the program. */
  readonly program: string;
  readonly kills: number;
  readonly seed: number;
  readonly qos: "1" | "2" | "both";
  /** NATS servers: 1 or 3. Default 3. */
  readonly servers?: number;
  /** Of what members keep; 0: sessions are in RAM, and end with their member. Default 0. */
  readonly replicas?: number;
  /** Also cuts members and servers off, in network namespaces. Default: only where the system permits it. */
  readonly partitions?: boolean;
  /** Events that may happen, by name. Default: all. */
  readonly only?: RegExp;
  readonly log?: string | undefined;
  /** Called when an event begins. Default: nothing is called. */
  readonly onEvent?: (name: string, count: number) => void;
}

export interface ClusterRunResult {
  readonly problems: readonly string[];
  /** How often each event has happened. */
  readonly events: ReadonlyMap<string, number>;
  readonly acknowledged: number;
  readonly delivered: number;
  readonly redelivered: number;
  readonly story: readonly string[];
  /** Milliseconds of the longest time from an event until acknowledgements went on. */
  readonly longestPause: number;
  readonly hadPartitions: boolean;
  /** What the members say of themselves after a problem. */
  readonly state: string | undefined;
}

/** Acknowledgements that show that clients get on. */
const PROGRESS = 50;
/** Milliseconds after which clients that do not get on are a problem. NATS elects a leader in up to 43 s. */
const STUCK = 180_000;

/** @throws Error when NATS or a member does not start */
export async function runCluster(options: ClusterRunOptions): Promise<ClusterRunResult> {
  const { program, kills, seed, qos, servers = 3, replicas = 0, partitions = true, log, only, onEvent } = options;
  // The clients' actions and the choice of events depend on no moment.
  const random = new Random(seed);
  const clients = random.fork();
  const dials = random.fork();
  await using cluster = await ClusterUnderTest.make({ program, random: dials, servers, replicas, partitions, log });
  const world = new World(clients, 1, cluster.surroundings);
  world.isCluster = true;
  world.losesSessions = replicas === 0;
  const scenario = new Scenario(world, { qos });
  await cluster.start();
  await untilWhole(cluster, world);
  world.port = 1; // each connection finds one itself
  await scenario.begin();
  const events = eventsOf(cluster, world).filter(({ name }) => only?.test(name) !== false);
  const counts = new Map<string, number>();
  let longestPause = 0;
  const isSound = (): boolean => world.problems.length + cluster.ownEnds.length === 0;
  for (let count = 0; count < kills && isSound(); count++) {
    const event: Event = pickEvent(events, random);
    await world.sleep(random.between(100, 1_500));
    onEvent?.(event.name, count);
    counts.set(event.name, (counts.get(event.name) ?? 0) + 1);
    const began = world.now();
    await event.happen(random);
    await untilProgress(world, event.name, () => cluster.ownEnds.length === 0);
    longestPause = Math.max(longestPause, world.now() - began);
    if (random.chance(0.3)) await scenario.checkRetained();
  }
  if (isSound()) {
    await untilWhole(cluster, world);
    world.tell("nothing more happens");
    await scenario.finish();
  }
  const state = isSound() ? undefined : await cluster.state();
  scenario.leave();
  for (const what of cluster.ownEnds) world.problem(what);
  const { problems, story, acknowledged, delivered, redelivered } = world;
  const hadPartitions = cluster.networks !== undefined;
  const numbers = { acknowledged, delivered, redelivered, longestPause };
  return { problems, story, events: counts, ...numbers, hadPartitions, state };
}

/** Resolves when messages are acknowledged again. */
async function untilProgress(world: World, after: string, isSound: () => boolean): Promise<void> {
  const goal = world.acknowledged + PROGRESS;
  const began = world.now();
  while (world.acknowledged < goal && isSound()) {
    if (world.now() > began + STUCK) {
      world.problem(`no message is acknowledged ${STUCK / 1000} s after this: ${after}`);
      return;
    }
    await world.sleep(20);
  }
}
