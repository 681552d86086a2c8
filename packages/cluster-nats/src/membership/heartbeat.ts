// What a member tells all others twice a second: that it runs, and which view it knows.
import type { MeshMember } from "@wrenmq/cluster";

export interface Heartbeat extends MeshMember {
  /** Of the view that it knows. */
  readonly revision: number;
}

/** @returns undefined: it is none */
export function parseHeartbeat(text: string): Heartbeat | undefined {
  try {
    const { id, run, revision } = JSON.parse(text) as Heartbeat;
    return [id, run, revision].every(Number.isFinite) ? { id, run, revision } : undefined;
  } catch {
    return undefined;
  }
}
