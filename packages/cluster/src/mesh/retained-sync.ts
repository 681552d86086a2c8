// Sends newly connected peers the retained messages, as fast as they read.
import type { LocalNode, RetainedFact } from "../cluster-bus.ts";
import type { MeshLink } from "../mesh-link.ts";

/** Bytes of a burst. */
const BURST = 1024 * 1024;

export class RetainedSync {
  readonly #node: LocalNode;
  readonly #waiting = new Map<MeshLink, Waiting>();

  constructor(node: LocalNode) {
    this.#node = node;
  }

  /** @param isOld see `ForwardTarget` */
  begin(link: MeshLink, facts: Iterator<RetainedFact>, isOld: boolean): void {
    this.#waiting.set(link, { facts, isOld });
    this.continue(link);
  }

  /** The bytes that waited have been sent. */
  continue(link: MeshLink): void {
    const waiting = this.#waiting.get(link);
    if (waiting === undefined) return;
    while (link.outbox.backlog < BURST) {
      const { value, done } = waiting.facts.next();
      if (done === true) {
        this.#waiting.delete(link);
        link.endRetained();
        return;
      }
      const target = { plain: false, groups: undefined, retainedAt: value.stamp, isOld: waiting.isOld };
      link.forward(value.message, target, -1);
    }
    // If all was written in this turn the next burst follows; otherwise it follows after the drain event.
    this.#node.flushLater({
      flush: () => {
        if (link.outbox.inTransit === 0) this.continue(link);
      },
    });
  }

  closed(link: MeshLink): void {
    this.#waiting.delete(link);
  }
}

interface Waiting {
  readonly facts: Iterator<RetainedFact>;
  readonly isOld: boolean;
}
