// Every plugin's opinion on a request, where the chain gives the result only.
import { isAllowed } from "@wrenmq/protocol";
import type { ClientInfo } from "../client-info.ts";
import type { Action, Decision, MaybePromise } from "../hooks.ts";
import { type Authorizer, askAuthorizer } from "./decide.ts";
import { type HookGuard, isPromise } from "./hook-guard.ts";
import type { Opinion } from "./opinion.ts";

export function compileExplain(
  authorizers: readonly Authorizer[],
  guard: HookGuard,
): (client: ClientInfo, action: Action, topic: string) => MaybePromise<readonly Opinion[]> {
  return (client, action, topic) => {
    const opinions: MaybePromise<Opinion>[] = [];
    for (const authorizer of authorizers) {
      const { plugin } = authorizer.verdicts;
      const answer = askAuthorizer(guard, authorizer, client, action, topic);
      opinions.push(isPromise(answer) ? answer.then((late) => opinion(plugin, late)) : opinion(plugin, answer));
    }
    return opinions.some(isPromise)
      ? Promise.all(opinions.map((one) => Promise.resolve(one)))
      : (opinions as Opinion[]);
  };
}

function opinion(plugin: string, decision: Decision): Opinion {
  if (decision === undefined) return { plugin, decision: "abstain", rule: undefined };
  if (typeof decision === "boolean") return { plugin, decision: decision ? "allow" : "deny", rule: undefined };
  return { plugin, decision: isAllowed(decision) ? "allow" : "deny", rule: decision.rule };
}
