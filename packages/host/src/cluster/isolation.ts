// A member that is cut off from the others for long stops pretending: its clients are disconnected and new ones refused,
// so that they try another member. When it is back it serves again, unless an operator has drained it meanwhile.
import type { Broker } from "@wrenmq/broker";
import type { Logger } from "@wrenmq/plugin-api";

/** Milliseconds without certainty, and between two looks. */
const PATIENCE = 10_000;
const LOOK = 500;
/** Clients that are disconnected in a second. */
const RATE = 500;

export interface IsolationParts {
  /** May this member acknowledge: does it reach the others? */
  isCertain(): boolean;
  /** All brokers of this process. */
  brokers(): Iterable<Broker>;
  /** Clients of other members are refused here, too: there is no way to them. */
  refuseAll(isRefusing: boolean): void;
  readonly logger: Logger;
}

/** @returns ends it */
export function watchIsolation({ isCertain, brokers, refuseAll, logger }: IsolationParts): () => void {
  let certainAt = performance.now();
  let isIsolated = false;
  const timer = setInterval(() => {
    const now = performance.now();
    if (isCertain()) certainAt = now;
    const wanted = now - certainAt >= PATIENCE;
    if (wanted === isIsolated) return;
    isIsolated = wanted;
    refuseAll(isIsolated);
    for (const { operations } of brokers()) {
      const { drainState } = operations;
      if (isIsolated && drainState === undefined) operations.startDrain({ rate: RATE, isUnavailable: true });
      else if (!isIsolated && drainState?.isUnavailable === true) operations.stopDrain();
    }
    if (isIsolated)
      logger.error({}, "cut off from the cluster for 10 s: clients are disconnected, new ones are refused");
    else logger.info({}, "back in the cluster: clients may connect again");
  }, LOOK);
  timer.unref();
  return () => clearInterval(timer);
}
