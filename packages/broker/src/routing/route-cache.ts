// Routes that topics share. Thousands of topics match the same filters: who gets their messages is found out once for all
// of them, and stays right until one of those filters gets or loses a subscriber, whatever happens to the others.
import { FrequentCache, mix } from "@wrenmq/protocol";
import type { StoredFilter } from "@wrenmq/topics";
import type { Route } from "./route.ts";

const MOST_ROUTES = 4_096;
/** Subscriptions in all routes: each takes a hundred bytes, more or less. */
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

  /** After `get` found none: this is the one. */
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
