// Asks several members at once, and does without those that are missing.
import type { MemberName } from "../define-command.ts";
import { type Member, MemberMissing } from "./member.ts";

export interface Gathered {
  readonly parts: readonly unknown[];
  readonly answered: readonly MemberName[];
  readonly missing: readonly MemberName[];
}

/** @throws what a member has thrown, unless it was missing: then all others have answered */
export async function gather(
  members: readonly Member[],
  ask: (member: Member, index: number) => Promise<unknown>,
): Promise<Gathered> {
  const results = await Promise.allSettled(members.map(async (member, index) => ask(member, index)));
  const parts: unknown[] = [];
  const answered: MemberName[] = [];
  const missing: MemberName[] = [];
  for (const [index, result] of results.entries()) {
    const member = members[index] as Member;
    if (result.status === "fulfilled") {
      parts.push(result.value);
      answered.push(member);
    } else if (result.reason instanceof MemberMissing) missing.push(member);
    else throw result.reason;
  }
  return { parts, answered, missing };
}
