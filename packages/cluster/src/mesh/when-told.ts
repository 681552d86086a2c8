// Waits until all of some peers know the present routes of this broker, or are gone.
import type { MeshPeer } from "../mesh-peer.ts";

/** @param peers at least one */
export function whenAllTold(peers: readonly MeshPeer[]): Promise<void> {
  let left = peers.length;
  return new Promise((resolve) => {
    const passed = (): void => {
      left--;
      if (left === 0) resolve();
    };
    for (const peer of peers) peer.whenTold(passed);
  });
}
