// What all members share: a few values that are changed by compare-and-set.
import { ClusterError } from "@wrenmq/cluster";
import { parseView, type View } from "./view.ts";

export interface Stored {
  readonly text: string;
  /** Grows with every change of any value. */
  readonly revision: number;
}

/** Each operation may reject; then nothing is known about its effect. */
export interface ClusterStore {
  /** It may be behind. @returns undefined: there is none */
  read(key: string): Promise<Stored | undefined>;
  /**
   * @param expected revision that is to be replaced; 0: there is none
   * @returns the new revision; undefined: it was replaced by another one
   */
  write(key: string, text: string, expected: number): Promise<number | undefined>;
}

export const VIEW_KEY = "view";

export interface StoredView {
  readonly view: View;
  readonly revision: number;
}

/** @throws ClusterError: something else is stored in its place */
export async function readView(store: ClusterStore): Promise<StoredView | undefined> {
  const stored = await store.read(VIEW_KEY);
  if (stored === undefined) return undefined;
  const view = parseView(stored.text);
  if (view === undefined) {
    const reason = `key "${VIEW_KEY}" of its bucket holds no view of a cluster: does something else use the name (cluster.name)?`;
    throw new ClusterError("ERR_CLUSTER_JOIN", `this broker cannot be a member: ${reason}`);
  }
  return { view, revision: stored.revision };
}

export function writeView(store: ClusterStore, view: View, expected: number): Promise<number | undefined> {
  return store.write(VIEW_KEY, JSON.stringify(view), expected);
}
