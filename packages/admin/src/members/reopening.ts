// The streams of several members. Where a member is missing, or goes missing in the middle, its stream waits and is
// opened again when the member is back; it ends when all others have ended.
import { type Member, MemberMissing } from "./member.ts";

export interface Reopening {
  readonly members: readonly Member[];
  /** Ends the waiting; the streams that are open end by themselves. */
  readonly signal: AbortSignal;
  /** The names of the members that are missing at present. */
  readonly incomplete: string[];
  /** @param isAgain the member was missing in between */
  open(member: Member, isAgain: boolean): AsyncIterable<unknown>;
  /**
   * Calls back when the member is back.
   * @returns takes the callback back
   */
  whenBack(member: Member, callback: () => void): () => void;
}

/** One stream for each member, in their order. */
export function reopenedStreams({
  members,
  signal,
  incomplete,
  open,
  whenBack,
}: Reopening): AsyncIterableIterator<unknown>[] {
  let openStreams = members.length;
  let ended = 0;
  const waiting = new Set<() => void>();
  const closed = (): void => {
    openStreams--;
    if (openStreams === 0 && ended > 0) for (const release of [...waiting]) release();
  };
  const back = (member: Member): Promise<boolean> =>
    new Promise((resolve) => {
      const settle = (isBack: boolean) => (): void => {
        forget();
        waiting.delete(given);
        signal.removeEventListener("abort", given);
        resolve(isBack);
      };
      const given = settle(false);
      const forget = whenBack(member, settle(true));
      waiting.add(given);
      signal.addEventListener("abort", given, { once: true });
      if (signal.aborted || (openStreams === 0 && ended > 0)) given();
    });
  async function* linesOf(member: Member): AsyncIterableIterator<unknown> {
    for (let isAgain = !member.up; ; isAgain = true) {
      try {
        yield* open(member, isAgain);
        ended++;
        closed();
        return;
      } catch (error) {
        if (!(error instanceof MemberMissing)) throw error;
      }
      incomplete.push(member.name);
      closed();
      if (!(await back(member))) return;
      openStreams++;
      incomplete.splice(incomplete.indexOf(member.name), 1);
    }
  }
  return members.map(linesOf);
}
