// The store of one test: made anew for each.
import { afterEach, beforeEach } from "vitest";
import type { Store, StoreOp } from "../../store.ts";

/** A place for facts, empty at first. */
export interface StoreFixture {
  /** A store at this place, not open. Called again after a `close`, to check what is still there. */
  make(): Store | Promise<Store>;
  /** Removes the place. */
  dispose(): void | Promise<void>;
}

export interface TestedStore {
  /** Open; another one after `reopen`. */
  readonly store: Store;
  reopen(): Promise<void>;
  put(...ops: StoreOp[]): Promise<void>;
  /** Checks now and after a restart. */
  both(check: () => void): Promise<void>;
}

/** Call it inside `describe`: its tests have a store each. */
export function testedStore(fixture: () => StoreFixture | Promise<StoreFixture>): TestedStore {
  let place: StoreFixture;
  let store: Store;

  beforeEach(async () => {
    place = await fixture();
    store = await place.make();
    await store.open();
  });
  afterEach(async () => {
    await store.close();
    await place.dispose();
  });

  const reopen = async (): Promise<void> => {
    await store.close();
    store = await place.make();
    await store.open();
  };
  return {
    get store() {
      return store;
    },
    reopen,
    async put(...ops) {
      await store.apply(ops);
    },
    async both(check) {
      check();
      await reopen();
      check();
    },
  };
}
