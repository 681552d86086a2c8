// Links whose peers do not read, or answer more slowly than publishers send: publishers wait until there are none.
import type { MeshLink } from "../mesh-link.ts";

export class Congestion {
  readonly #links = new Set<MeshLink>();
  #relieved: (() => void)[] = [];

  get isThere(): boolean {
    return this.#links.size > 0;
  }

  add(link: MeshLink): void {
    this.#links.add(link);
  }

  /** Calls back once when there is none any more. */
  whenRelieved(callback: () => void): void {
    this.#relieved.push(callback);
  }

  /** The peer has read or answered something. */
  progressed(link: MeshLink): void {
    if (this.#links.size === 0 || link.congested || link.peer?.isBehind === true) return;
    this.over(link);
  }

  /** The link is over. */
  over(link: MeshLink): void {
    if (this.#links.delete(link) && this.#links.size === 0) this.relieve();
  }

  /** Publishers continue. */
  relieve(): void {
    const callbacks = this.#relieved;
    this.#relieved = [];
    for (const callback of callbacks) callback();
  }
}
