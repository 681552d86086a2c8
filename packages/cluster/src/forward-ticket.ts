// One publisher's wait for all the peers that its message was sent to.
import { ForwardResult } from "./cluster-bus.ts";

export class ForwardTicket {
  /** Peers that have not said anything yet. */
  waiting: number = 0;
  /** Has any peer somebody who gets the message? */
  received: boolean = false;
  /** Has any peer refused it, or gone before it said anything? */
  refused: boolean = false;
  /** Is nobody at the publisher's own broker who gets the message? */
  peersOnly: boolean = false;
  /** Called once, when the last peer has answered. */
  whenSettled: (() => void) | undefined = undefined;

  settle(result: ForwardResult): void {
    this.waiting--;
    if (result === ForwardResult.Received) this.received = true;
    else if (result === ForwardResult.Refused) this.refused = true;
    if (this.waiting > 0) return;
    const callback = this.whenSettled;
    this.whenSettled = undefined;
    callback?.();
  }
}
