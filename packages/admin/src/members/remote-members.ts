// Members in other processes, over a channel that carries questions and answers: the supervisor's to its workers.
import { AdminError } from "../admin-error.ts";
import { type Member, MemberMissing, type Members } from "./member.ts";
import { type Question, type Reply, valueIn } from "./wire.ts";

/** The supervisor of several processes; `Workers` of `@wrenmq/workers` is one. */
export interface MemberChannel {
  readonly count: number;
  homeOf(clientId: string): number;
  isUp(member: number): boolean;
  onUp(callback: (member: number) => void): void;
  ask(member: number, question: unknown, signal?: AbortSignal): Promise<unknown>;
  stream(member: number, question: unknown, signal?: AbortSignal): AsyncIterable<unknown>;
}

/** The workers of a supervisor, as members. */
export function workersAsMembers(channel: MemberChannel): Members {
  const all = Array.from({ length: channel.count }, (_, index) => new RemoteMember(channel, index));
  const at = (index: number): Member => {
    const member = all[index];
    if (member === undefined) throw new AdminError("internal", `there is no worker ${index}`);
    return member;
  };
  return {
    all,
    homeOf: (clientId) => at(channel.homeOf(clientId)),
    onBack: (callback) => channel.onUp((index) => callback(at(index))),
  };
}

class RemoteMember implements Member {
  readonly name: string;
  readonly label: string;
  readonly #channel: MemberChannel;
  readonly #index: number;

  constructor(channel: MemberChannel, index: number) {
    this.#channel = channel;
    this.#index = index;
    this.name = `worker ${index}`;
    this.label = String(index);
  }

  get up(): boolean {
    return this.#channel.isUp(this.#index);
  }

  async ask(command: string, input: unknown, patience: number): Promise<unknown> {
    if (!this.up) throw new MemberMissing(this, false);
    const signal = AbortSignal.timeout(patience);
    const answer = await this.#channel
      .ask(this.#index, { command, input } satisfies Question, signal)
      .catch((error: unknown) => {
        throw new MemberMissing(this, true, error);
      });
    return valueIn(answer as Reply);
  }

  async *stream(command: string, input: unknown, signal: AbortSignal): AsyncIterableIterator<unknown> {
    if (!this.up) throw new MemberMissing(this, false);
    const replies = this.#channel.stream(this.#index, { command, input } satisfies Question, signal);
    const iterator = replies[Symbol.asyncIterator]();
    try {
      for (;;) {
        const result = await iterator.next().catch((error: unknown) => {
          throw new MemberMissing(this, true, error);
        });
        if (result.done === true) return;
        yield valueIn(result.value as Reply);
      }
    } finally {
      await iterator.return?.();
    }
  }
}
