// The access rights of one client: plugins are called once for each topic, and their verdicts are cached until the
// rules change.
import type { Action, ClientInfo, HookChain, MaybePromise } from "@wrenmq/plugin-api";
import { ALLOWED, isAllowed, type Message, type Topic, type Verdict } from "@wrenmq/protocol";
import { type DollarTopics, refuseReserved } from "./reserved-topics.ts";

/** Topics whose verdicts are cached for one client, and characters of all of them. */
const REMEMBERED = 1_000;
const REMEMBERED_CHARACTERS = 100_000;

/** The access rules of a listener, shared by all its clients; replaced when plugins change. */
export interface Rules {
  readonly chain: HookChain;
  /** Incremented when access rules change. */
  readonly generation: number;
  readonly dollarTopics: DollarTopics;
}

export class AuthorizationCache {
  readonly #client: ClientInfo;
  readonly #rules: () => Rules;
  #generation = -1;
  #lastTopic: Topic | undefined;
  #lastAllowed = false;
  #verdicts: Map<string, Verdict> | undefined;
  #characters = 0;

  constructor(client: ClientInfo, rules: () => Rules) {
    this.#client = client;
    this.#rules = rules;
  }

  publish(message: Message): MaybePromise<Verdict> {
    const { chain, generation, dollarTopics } = this.#rules();
    const topic = message.target;
    if (topic.isReserved) {
      const refusal = refuseReserved(this.#client, message, { dollarTopics, served: chain.dollarTopics ?? [] });
      if (refusal !== undefined) return refusal;
    }
    if (chain.authorize === undefined) return ALLOWED;
    if (topic === this.#lastTopic && generation === this.#generation && this.#lastAllowed) return ALLOWED;
    const verdict = this.#ask("publish", topic.name);
    if (!(verdict instanceof Promise)) {
      this.#lastTopic = topic;
      this.#lastAllowed = isAllowed(verdict);
    }
    return verdict;
  }

  subscribe(filter: string): MaybePromise<Verdict> {
    return this.#rules().chain.authorize === undefined ? ALLOWED : this.#ask("subscribe", filter);
  }

  #ask(action: Action, topic: string): MaybePromise<Verdict> {
    const { chain, generation } = this.#rules();
    const isFull = (this.#verdicts?.size ?? 0) >= REMEMBERED || this.#characters >= REMEMBERED_CHARACTERS;
    if (generation !== this.#generation || isFull) {
      this.#generation = generation;
      this.#verdicts = undefined;
      this.#characters = 0;
      this.#lastTopic = undefined;
    }
    const key = `${action} ${topic}`;
    const known = this.#verdicts?.get(key);
    if (known !== undefined) return known;
    const verdict = chain.authorize?.(this.#client, action, topic) ?? ALLOWED;
    if (verdict instanceof Promise) {
      return verdict.then((answer) => {
        this.#remember(key, answer, generation);
        return answer;
      });
    }
    this.#remember(key, verdict, generation);
    return verdict;
  }

  #remember(key: string, verdict: Verdict, generation: number): void {
    if (generation !== this.#generation) return;
    this.#verdicts ??= new Map();
    this.#verdicts.set(key, verdict);
    this.#characters += key.length;
  }
}
