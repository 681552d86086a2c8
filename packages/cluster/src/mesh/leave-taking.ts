// A broker that ends in order tells its peers first: they send nothing more and keep what they have for it, and what they
// have sent before is here when this is over.
import type { LocalNode } from "../cluster-bus.ts";
import type { MeshLink } from "../mesh-link.ts";

/** Milliseconds that peers have to answer: one that does not is away itself. */
const PATIENCE = 2_000;

export function takeLeave(node: LocalNode, links: readonly MeshLink[]): Promise<void> {
  let left = links.length;
  if (left === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = node.at(node.now() + PATIENCE, resolve);
    for (const link of links) {
      link.leave(() => {
        left--;
        if (left > 0) return;
        cancel();
        resolve();
      });
    }
  });
}
