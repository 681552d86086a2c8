// Which clients this member serves: those of the partitions that the view gives it, but for partitions that it is giving
// away. It stops serving these before another member may begin, so that no client has two homes.
import { partitionOf, type View } from "./view.ts";

export class PartitionHomes {
  readonly #self: number;
  #view: View;
  /** Owned until the next view, and not served any more. */
  readonly #releasing = new Set<number>();

  /** @param self number of this member */
  constructor(self: number, view: View) {
    this.#self = self;
    this.#view = view;
  }

  get view(): View {
    return this.#view;
  }

  viewed(view: View): void {
    this.#view = view;
  }

  /** Does this member serve the client? */
  isHome(clientId: string): boolean {
    return this.#serves(partitionOf(clientId, this.#view));
  }

  /** Does this member serve no client at all? */
  isHomeless(): boolean {
    return !this.#view.owners.some((_, partition) => this.#serves(partition));
  }

  /**
   * The other member that a client belongs to. One without an identifier belongs to any that serves clients, as that
   * one assigns it an identifier of its own.
   * @returns undefined: there is none at present, or the view still names this one
   */
  elsewhere(clientId: string): number | undefined {
    const { owners } = this.#view;
    const home = clientId === "" ? owners.find((owner) => owner !== null) : owners[partitionOf(clientId, this.#view)];
    return home === null || home === this.#self ? undefined : home;
  }

  /**
   * Begins to give away partitions that serve nobody; they are not served until `kept`.
   * @param among partitions of this member
   * @param clientIds of all sessions here
   * @returns these partitions, `most` at most
   */
  release(among: readonly number[], most: number, clientIds: Iterable<string>): readonly number[] {
    const vacant = new Set(among);
    for (const clientId of clientIds) {
      vacant.delete(partitionOf(clientId, this.#view));
      if (vacant.size === 0) break;
    }
    const chosen = [...vacant].slice(0, most);
    for (const partition of chosen) this.#releasing.add(partition);
    return chosen;
  }

  /** A view has come: it alone says whose these are. */
  kept(partitions: readonly number[]): void {
    for (const partition of partitions) this.#releasing.delete(partition);
  }

  #serves(partition: number): boolean {
    return this.#view.owners[partition] === this.#self && !this.#releasing.has(partition);
  }
}
