// Topic aliases of one connection, one map for each direction. [MQTT5 3.3.2.3.4]
import type { Topic } from "./topic.ts";

/** The aliases that the client set. */
export class InboundAliases {
  readonly #topics = new Map<number, Topic>();

  set(alias: number, topic: Topic): void {
    this.#topics.set(alias, topic);
  }

  get(alias: number): Topic | undefined {
    return this.#topics.get(alias);
  }
}

/** The aliases that we set: the first topics that come get one, up to the client's maximum, for as long as it stays. */
export class OutboundAliases {
  readonly #aliases = new Map<string, number>();
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The topic's alias if the client knows it. */
  get(topic: string): number | undefined {
    return this.#aliases.get(topic);
  }

  /** A new alias for the topic, to be sent together with its name; undefined when all are taken. */
  assign(topic: string): number | undefined {
    if (this.#aliases.size >= this.#maximum) return undefined;
    const alias = this.#aliases.size + 1;
    this.#aliases.set(topic, alias);
    return alias;
  }
}
