// Each member and each NATS server in a network namespace of its own, so that each can be cut off from the others while
// its clients still reach it. Needs iproute2 and the right to make namespaces (Linux, root).
//
//   bridge ── n0 of each member and server          what is cut
//   host   ── c0 of each member                     where its clients come from
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface NetworkPlace {
  /** A command that runs a process there. */
  readonly within: readonly string[];
  /** Its address for NATS. */
  readonly host: string;
  /** Its address for clients. */
  readonly clientHost: string;
}

export class Networks implements AsyncDisposable {
  readonly #id = process.pid;
  readonly #subnet = process.pid % 250;
  readonly #namespaces: string[] = [];
  readonly #names: readonly string[];

  private constructor(names: readonly string[]) {
    this.#names = names;
  }

  /**
   * One for each name, which is a letter and a digit.
   * @returns undefined: the system does not permit it, or has no iproute2
   */
  static async make(names: readonly string[]): Promise<Networks | undefined> {
    const networks = new Networks(names);
    try {
      await networks.#make();
      return networks;
    } catch {
      await networks[Symbol.asyncDispose]();
      return undefined;
    }
  }

  place(name: string): NetworkPlace {
    const at = this.#names.indexOf(name);
    return {
      within: ["ip", "netns", "exec", this.#namespace(name)],
      host: this.#inside(at),
      clientHost: `10.214.${this.#subnet}.${4 * at + 2}`,
    };
  }

  /** From now on it neither hears nor is heard, and nothing says so. */
  cut(name: string): Promise<void> {
    return this.#ip(`link set ${this.#port(name)} nomaster`);
  }

  heal(name: string): Promise<void> {
    return this.#ip(`link set ${this.#port(name)} master ${this.#bridge}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const namespace of this.#namespaces.splice(0)) await this.#ip(`netns del ${namespace}`).catch(() => {});
    await this.#ip(`link del ${this.#bridge}`).catch(() => {});
  }

  async #make(): Promise<void> {
    await this.#ip(`link add ${this.#bridge} type bridge`);
    await this.#ip(`addr add 10.213.${this.#subnet}.254/24 dev ${this.#bridge}`);
    await this.#ip(`link set ${this.#bridge} up`);
    for (const [at, name] of this.#names.entries()) {
      const namespace = this.#namespace(name);
      await this.#ip(`netns add ${namespace}`);
      this.#namespaces.push(namespace);
      await this.#ip(`-n ${namespace} link set lo up`);
      await this.#ip(`link add ${this.#port(name)} type veth peer name n0 netns ${namespace}`);
      await this.#ip(`-n ${namespace} addr add ${this.#inside(at)}/24 dev n0`);
      await this.#ip(`-n ${namespace} link set n0 up`);
      await this.#ip(`link set ${this.#port(name)} master ${this.#bridge} up`);
      const outside = `wc${this.#id}${name}`;
      await this.#ip(`link add ${outside} type veth peer name c0 netns ${namespace}`);
      await this.#ip(`-n ${namespace} addr add ${this.place(name).clientHost}/30 dev c0`);
      await this.#ip(`-n ${namespace} link set c0 up`);
      await this.#ip(`addr add 10.214.${this.#subnet}.${4 * at + 1}/30 dev ${outside}`);
      await this.#ip(`link set ${outside} up`);
    }
  }

  get #bridge(): string {
    return `wb${this.#id}`;
  }

  #namespace(name: string): string {
    return `wrenmq-${this.#id}-${name}`;
  }

  #port(name: string): string {
    return `wn${this.#id}${name}`;
  }

  #inside(at: number): string {
    return `10.213.${this.#subnet}.${at + 1}`;
  }

  async #ip(words: string): Promise<void> {
    await run("ip", words.split(" "));
  }
}
