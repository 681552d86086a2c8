// Clients that connect, subscribe with wildcards and disconnect, at a rate, during a measurement of messages.
import { Link } from "./link.mjs";

/** Milliseconds between two checks how many are due. */
const STEP = 20;

export class Churn {
  /** Number of clients that have connected and disconnected. */
  count = 0;
  #timer;
  #under = new Set();

  /** @param perSecond clients; each has three subscriptions, one of which matches the measured topics */
  constructor(perSecond, { version, port }) {
    if (perSecond === 0) return;
    const began = performance.now();
    let started = 0;
    this.#timer = setInterval(() => {
      for (const due = ((performance.now() - began) / 1000) * perSecond; started < due; started++) {
        const visit = this.#visit(started, version, port).finally(() => this.#under.delete(visit));
        this.#under.add(visit);
      }
    }, STEP);
  }

  async #visit(number, version, port) {
    const link = new Link(version);
    await link.open(port, { clientId: `visitor-${number}` });
    await link.subscribe([`visitors/${number}/#`, `+/visitors/${number}`, `site/+/visitors/${number}/#`], 0);
    link.close();
    this.count++;
  }

  async stop() {
    clearInterval(this.#timer);
    await Promise.allSettled([...this.#under]);
  }
}
