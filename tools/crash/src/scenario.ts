// The participants of a run, and their checks at its end.
import { type Client, HANGS } from "./clients/client.ts";
import { EndingSession } from "./clients/ending-session.ts";
import { Publisher } from "./clients/publisher.ts";
import { RetainedReader } from "./clients/retained-reader.ts";
import { type Filter, Subscriber } from "./clients/subscriber.ts";
import { SubscriptionToggler } from "./clients/subscription-toggler.ts";
import { WillClient, Witness } from "./clients/will-client.ts";
import type { World } from "./world.ts";

export interface ScenarioOptions {
  /** QoS of messages and subscriptions: "1", "2" or both. */
  readonly qos: "1" | "2" | "both";
}

/**
 * What is missing counts as lost when nothing has come for so many milliseconds, and for so many round trips of every
 * client that has lasted. The round trips make the verdict independent of the speed of the machine: while a worker is
 * down, or slow, its clients have none.
 */
const PATIENCE = 8_000;
const ROUNDS = 100;
/** Milliseconds in which something that must not come would have come. */
const QUIET = 400;

export class Scenario {
  readonly #world: World;
  readonly #publishers: Publisher[];
  readonly #subscribers: Subscriber[];
  readonly #subscriptionTogglers: SubscriptionToggler[];
  readonly #willClients: WillClient[];
  readonly #endingSessions: EndingSession[];
  readonly #witness: Witness;
  #readers = 0;

  constructor(world: World, { qos }: ScenarioOptions) {
    this.#world = world;
    const versions = [4, 5, 5, 4] as const;
    this.#publishers = versions.map((version, i) => new Publisher(world, `p${i}`, version, qos));
    const filters: Filter[] = [
      { topicFilter: "t/#", qos: 2, covers: (topic) => topic.startsWith("t/") },
      { topicFilter: "t/#", qos: 2, covers: (topic) => topic.startsWith("t/") },
      { topicFilter: "t/+/+/q2", qos: 2, covers: (topic) => /^t\/.*\/q2$/.test(topic) },
      { topicFilter: "t/#", qos: 1, covers: (topic) => topic.startsWith("t/") },
      { topicFilter: "t/p1/#", qos: 2, covers: (topic) => topic.startsWith("t/p1/") },
    ];
    this.#subscribers = filters.map((filter, i) => new Subscriber(world, `s${i}`, i % 2 === 0 ? 5 : 4, filter));
    this.#subscriptionTogglers = [4, 5].map(
      (version, i) => new SubscriptionToggler(world, `x${i}`, version as 4 | 5, `t/p${i}/#`),
    );
    this.#witness = new Witness(world, "witness");
    this.#willClients = [
      new WillClient(world, "m0", 4, 0, this.#witness),
      new WillClient(world, "m1", 5, 0, this.#witness),
      new WillClient(world, "m2", 5, 1, this.#witness),
      new WillClient(world, "m3", 5, 2, this.#witness),
    ];
    for (const willClient of this.#willClients) world.onLoss.push(() => willClient.forgive());
    this.#endingSessions = [4, 5, 5].map((version, i) => new EndingSession(world, `g${i}`, version as 4 | 5));
  }

  /** Resolves when all clients that must receive everything have subscribed; then the others begin. */
  async begin(): Promise<void> {
    await Promise.all([this.#witness.begin(), ...this.#subscribers.map((subscriber) => subscriber.begin())]);
    for (const each of [
      ...this.#publishers,
      ...this.#subscriptionTogglers,
      ...this.#willClients,
      ...this.#endingSessions,
    ])
      each.come();
  }

  /** At the moment of a crash, for a broker whose crash breaks no connections. */
  cutAll(): void {
    for (const each of this.#everyone()) each.cut();
  }

  /** Checks the retained messages, while everything goes on. */
  async checkRetained(): Promise<void> {
    // A worker that has just come back learns some of them from the others: all must be there.
    await this.#eachHas(1);
    await new RetainedReader(this.#world, `reader${this.#readers++}`).check();
  }

  /** Ends everything that was begun, checks it, and disconnects all clients. */
  async finish(): Promise<void> {
    const world = this.#world;
    world.running = false;
    for (const willClient of this.#willClients) willClient.leave();
    for (const each of [...this.#publishers, ...this.#subscribers, ...this.#subscriptionTogglers]) each.come();
    await this.#untilStill(() => this.#publishers.every((publisher) => publisher.isDone));
    world.tell(`publishers are done: ${this.#publishers.every((publisher) => publisher.isDone)}`);
    for (const each of this.#publishers) {
      if (!each.isDone) world.problem(`${each.clientId}: acknowledgements are missing (${each.missing})`);
    }
    await this.#untilStill(() => this.#hasAll());
    world.tell(`subscribers have everything: ${this.#hasAll()}`);
    await world.sleep(QUIET);
    for (const each of [...this.#subscribers, ...this.#subscriptionTogglers]) each.check(world.streams);
    for (const willClient of this.#willClients) willClient.check();
    await this.checkRetained();
    this.leave();
  }

  /** Ends all connections, of a run that has failed. */
  leave(): void {
    this.#world.running = false;
    for (const each of this.#everyone()) each.leave();
  }

  #hasAll(): boolean {
    const listeners = [...this.#subscribers, ...this.#subscriptionTogglers];
    return (
      listeners.every((each) => each.hasAll(this.#world.streams)) &&
      this.#willClients.every((willClient) => willClient.isSettled)
    );
  }

  /** Waits until the condition holds, or nothing has changed for long. */
  async #untilStill(isSo: () => boolean): Promise<void> {
    const world = this.#world;
    while (!isSo()) {
      const progress = world.acknowledged + world.delivered;
      const began = world.now();
      const isOver = (): boolean => isSo() || world.acknowledged + world.delivered !== progress;
      if (!(await this.#eachHas(ROUNDS, isOver))) return;
      while (!isOver() && world.now() < began + PATIENCE) await world.sleep(10);
      if (!isOver()) return;
    }
  }

  /**
   * Waits until each client that comes back after every end has had so many round trips from now on.
   * @param isOver something has happened that makes it unnecessary
   * @returns false: some have none
   */
  async #eachHas(rounds: number, isOver: () => boolean = () => false): Promise<boolean> {
    const world = this.#world;
    const before = this.#lasting().map((client) => ({ client, goal: client.rounds + rounds }));
    for (const { client } of before) client.keepAsking();
    const done = (answered: boolean): boolean => {
      for (const { client } of before) client.keepAsking(false);
      return answered;
    };
    const began = world.now();
    const missing = (): Client[] =>
      before.filter(({ client, goal }) => client.rounds < goal).map(({ client }) => client);
    while (!isOver() && missing().length > 0) {
      if (world.now() > began + HANGS) {
        world.problem(`no answer to PINGREQ: ${missing().map(({ clientId }) => clientId)}`);
        return done(false);
      }
      await world.sleep(10);
    }
    return done(true);
  }

  /** Clients of all workers that are always there, or come back soon. */
  #lasting(): Client[] {
    return [...this.#publishers, ...this.#subscribers, ...this.#subscriptionTogglers, this.#witness];
  }

  #everyone() {
    return [
      ...this.#publishers,
      ...this.#subscribers,
      ...this.#subscriptionTogglers,
      ...this.#willClients,
      ...this.#endingSessions,
      this.#witness,
    ];
  }
}
