// The broker that a run crashes: the command in a process of its own, or a broker in this process on a store that loses
// data.
import type { Random } from "../random.ts";
import type { Surroundings } from "../surroundings.ts";

export interface BrokerUnderTest {
  /** Its crash breaks no connection: the clients do it. */
  readonly sharesProcess: boolean;
  /** May a crash undo what was not acknowledged, although its effects were seen? */
  readonly forgets: boolean;
  /** Time and connections; default: those of the system. */
  readonly surroundings?: Surroundings;
  /** Processes that ended although nobody ended them. Default: none can. */
  readonly ownEnds?: readonly string[];
  /** Its store refuses some batches. */
  readonly refuses: boolean;
  /**
   * Starts it.
   * @returns the port it listens on; undefined: it was ended before it listened
   */
  start(): Promise<number | undefined>;
  /** Ends it without warning. */
  crash(): Promise<void>;
  /** Ends one of several workers without warning. @returns false: there is none that could be ended now */
  crashWorker?(random: Random): Promise<boolean>;
  /** Stops it as an operator does. */
  stop(): Promise<void>;
}
