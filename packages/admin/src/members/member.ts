// The members: brokers that act as one, as the process with the table of commands sees them. A single broker is the
// only member.
import type { MemberName } from "../define-command.ts";

export type { MemberName };

export interface Member extends MemberName {
  /** Can it be asked at present? */
  readonly up: boolean;
  /**
   * What the broker of this member answers to a command.
   * @param patience milliseconds
   * @throws AdminError, MemberMissing
   */
  ask(command: string, input: unknown, patience: number): Promise<unknown>;
  /**
   * The lines of a stream; reading is what makes them.
   * @throws AdminError, MemberMissing
   */
  stream(command: string, input: unknown, signal: AbortSignal): AsyncIterable<unknown>;
}

export interface Members {
  readonly all: readonly Member[];
  /** The member where the session of a client lives. */
  homeOf(clientId: string): Member;
  /** Called when a member is there again that had forgotten what lives in memory. */
  onBack(callback: (member: Member) => void): void;
}

/** The member did not answer: it is being started, it has ended, or it took too long. */
export class MemberMissing extends Error {
  override readonly name: string = "MemberMissing";
  /** May it have done what it was asked? */
  readonly mayHaveRun: boolean;

  constructor(member: MemberName, mayHaveRun: boolean, cause?: unknown) {
    super(`${member.name} does not answer`, { cause });
    this.mayHaveRun = mayHaveRun;
  }
}
