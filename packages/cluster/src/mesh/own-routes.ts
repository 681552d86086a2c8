// The subscriptions of this broker's clients, as its peers know them: changes are told over every link, and all of them
// over a new one.
import type { MeshLink } from "../mesh-link.ts";

interface Group {
  readonly connected: number;
  readonly members: number;
  readonly durable: boolean;
}

export class OwnRoutes {
  readonly #links: () => Iterable<MeshLink>;
  readonly #routes = new Map<string, boolean>();
  readonly #groups = new Map<string, Group>();

  constructor(links: () => Iterable<MeshLink>) {
    this.#links = links;
  }

  clear(): void {
    this.#routes.clear();
    this.#groups.clear();
  }

  /** @returns is it news? */
  set(filter: string, durable: boolean): boolean {
    if (this.#routes.get(filter) === durable) return false;
    this.#routes.set(filter, durable);
    for (const link of this.#links()) link.setRoute(filter, durable);
    return true;
  }

  remove(filter: string): void {
    if (!this.#routes.delete(filter)) return;
    for (const link of this.#links()) link.removeRoute(filter);
  }

  /** @returns is it news? */
  setGroup(filter: string, group: Group): boolean {
    const { connected, members, durable } = group;
    const known = this.#groups.get(filter);
    if (known?.connected === connected && known.members === members && known.durable === durable) return false;
    if (members === 0) this.#groups.delete(filter);
    else this.#groups.set(filter, group);
    for (const link of this.#links()) link.setGroup(filter, connected, members, durable);
    return true;
  }

  tellAll(link: MeshLink): void {
    for (const [filter, durable] of this.#routes) link.setRoute(filter, durable);
    for (const [filter, group] of this.#groups) {
      link.setGroup(filter, group.connected, group.members, group.durable);
    }
    link.endRoutes();
  }
}
