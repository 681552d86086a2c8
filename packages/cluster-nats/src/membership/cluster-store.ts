// What all members share: a few values that are changed by compare-and-set.
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

/** @throws Error: something else is stored in its place */
export async function readView(store: ClusterStore): Promise<StoredView | undefined> {
  const stored = await store.read(VIEW_KEY);
  if (stored === undefined) return undefined;
  const view = parseView(stored.text);
  if (view === undefined) throw new Error("what is stored in the place of the cluster's view is none");
  return { view, revision: stored.revision };
}

export function writeView(store: ClusterStore, view: View, expected: number): Promise<number | undefined> {
  return store.write(VIEW_KEY, JSON.stringify(view), expected);
}
