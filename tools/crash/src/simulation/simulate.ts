// One run on simulated brokers: the same seed gives the same run.
import { Random } from "../random.ts";
import { type RunResult, run } from "../run.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly kills: number;
  /** Default: 2 or 3, by the seed. */
  readonly workers?: number | undefined;
  /** The disk is slow, and when all brokers end it loses what it has not written. */
  readonly powerFails: boolean;
  /** Milliseconds until a worker that has died is restarted. Default 50. */
  readonly restartAfter?: number;
}

/** The most milliseconds that a slow disk takes. */
const LATENCY = 20;

export function simulate({ seed, kills, workers, powerFails, restartAfter }: SimulationOptions): Promise<RunResult> {
  const random = new Random(seed);
  const chosen = random.between(2, 3);
  const count = workers ?? chosen;
  const faults = powerFails ? { refused: 0, latency: LATENCY } : undefined;
  const broker = new SimulatedCluster({ count, random: random.fork(), faults, restartAfter });
  return broker.drive(run({ broker, kills, seed, qos: "both", workers: count, pause: [5, 150] }));
}
