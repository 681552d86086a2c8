// What a run crashes: the real command in a process of its own, or a broker in this process on a store that forgets.

export interface BrokerUnderTest {
  /** Its crash breaks no connection: the clients have to. */
  readonly sharesProcess: boolean;
  /** Its store refuses batches now and then. */
  readonly refuses: boolean;
  /** Starts it. @returns the port it listens on; undefined: it was ended before it listened */
  start(): Promise<number | undefined>;
  /** Ends it without warning. */
  crash(): Promise<void>;
  /** Ends it as an operator would. */
  stop(): Promise<void>;
}
