// The end of relayed connections when a broker stops.
import type { LocalNode } from "../cluster-bus.ts";
import type { MeshLink } from "../mesh-link.ts";

/** Milliseconds that relayed connections have to close at the end. */
const RELAY_GRACE = 2_000;

/** Waits until relayed clients have read their last packet, or the time for it is over. */
export function relaysGone(node: LocalNode | undefined, links: () => Iterable<MeshLink>): Promise<void> {
  const areGone = (): boolean => [...links()].every(({ relays }) => relays.size === 0);
  if (node === undefined || areGone()) return Promise.resolve();
  const end = node.now() + RELAY_GRACE;
  return new Promise((resolve) => {
    const check = (): void => {
      if (areGone() || node.now() >= end) resolve();
      else node.at(node.now() + 10, check);
    };
    check();
  });
}
