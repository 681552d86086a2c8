// Routes that topics share. Thousands of topics match the same filters: their route is made once, and stays valid until
// one of these filters gains or loses a subscriber.
import { FrequentCache, mix } from "@wrenmq/protocol";
import type { StoredFilter } from "@wrenmq/topics";
import type { Route } from "./route.ts";

const MOST_ROUTES = 4_096;
/** Subscriptions in all cached routes: each takes about a hundred bytes. */
const MOST_SUBSCRIPTIONS = 262_144;

export class RouteCache {
  readonly #routes = new FrequentCache<Route>({
    entries: MOST_ROUTES,
    weight: MOST_SUBSCRIPTIONS,
    largest: MOST_SUBSCRIPTIONS,
  });
  #hash = 0;

  /** The route that was made of the first `count` of these filters. */
  get(filters: readonly (StoredFilter | undefined)[], count: number): Route | undefined {
    this.#hash = hashOf(filters, count);
    const known = this.#routes.get(this.#hash);
    return known?.isMadeOf(filters, count) === true ? known : undefined;
  }

  /** Adds a route after `get` has found none. */
  offer(route: Route): void {
    const { weight } = route;
    if (this.#routes.admits(this.#hash, weight)) this.#routes.add(this.#hash, weight, route);
  }

  clear(): void {
    this.#routes.clear();
  }
}

function hashOf(filters: readonly (StoredFilter | undefined)[], count: number): number {
  let hash = count;
  for (let index = 0; index < count; index++) hash = mix(hash ^ (filters[index] as StoredFilter).version);
  return hash;
}
