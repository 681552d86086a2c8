// A member's answers to the questions of another process. The table of commands is loaded at the first one.
import { type Broker, systemClock } from "@wrenmq/broker";
import type { Logger } from "@wrenmq/plugin-api";
import type { AdminError } from "../admin-error.ts";
import type { LocalMember } from "./local-member.ts";
import { type Question, type Reply, wireError } from "./wire.ts";

/** The other end of the channel: to be passed to `runWorker` with the broker. */
export interface MemberAnswers {
  answer(question: unknown): Promise<unknown>;
  stream(question: unknown, signal: AbortSignal): AsyncIterable<unknown>;
}

/** Answers for the broker of this process. */
export function answersOf(broker: Broker, logger: Logger): MemberAnswers {
  let loading: Promise<LocalMember> | undefined;
  const load = async (): Promise<LocalMember> => {
    const { LocalMember: Own } = await import("./local-member.ts");
    return new Own(broker, logger, systemClock);
  };
  const loaded = (): Promise<LocalMember> => (loading ??= load());
  return {
    async answer(question): Promise<Reply> {
      const { command, input } = question as Question;
      return replied(async () => (await loaded()).ask(command, input));
    },
    async *stream(question, signal): AsyncIterable<Reply> {
      const { command, input } = question as Question;
      try {
        for await (const value of (await loaded()).stream(command, input, signal)) yield { value };
      } catch (error) {
        yield { error: wireError(error as AdminError) };
      }
    },
  };
}

async function replied(run: () => Promise<unknown>): Promise<Reply> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error: wireError(error as AdminError) };
  }
}
