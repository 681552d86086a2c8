// aMQTT's access lists: for each action a mapping of users to the filters that they may use.
//
//   no list for the action        allowed
//   a list without this user      denied
//   a subscription                allowed when one filter of the user's list contains all of it
import { type Action, ReasonCode, type Verdict } from "@wrenmq/plugin-api";
import { covers, plainFilter } from "@wrenmq/plugin-api/grants";
import type { Rule } from "./rule.ts";

export type UserList = ReadonlyMap<string, readonly string[]>;

export class UserLists {
  readonly #lists: Readonly<Record<Action, ReadonlyMap<string, readonly Rule[]> | undefined>>;
  readonly #free: Readonly<Record<Action, Verdict>>;

  constructor(lists: Readonly<Record<Action, UserList | undefined>>) {
    const named = (action: Action) => nameRules(lists[action], action);
    this.#lists = { publish: named("publish"), subscribe: named("subscribe"), receive: named("receive") };
    const free = (action: Action): Verdict => ({
      reasonCode: ReasonCode.Success,
      rule: `there is no list "${action}"`,
    });
    this.#free = { publish: free("publish"), subscribe: free("subscribe"), receive: free("receive") };
  }

  decide(user: string, action: Action, requested: string): Verdict {
    const list = this.#lists[action];
    if (list === undefined) return this.#free[action];
    const rules = list.get(user);
    if (rules === undefined)
      return { reasonCode: ReasonCode.NotAuthorized, rule: `the list "${action}" has no user "${user}"` };
    const topic = plainFilter(action, requested);
    if (topic !== undefined) {
      for (const rule of rules) {
        if (covers(rule.filter, action, topic)) return { reasonCode: ReasonCode.Success, rule: rule.name };
      }
    }
    return { reasonCode: ReasonCode.NotAuthorized, rule: `nothing in ${action}.${user} covers it` };
  }
}

function nameRules(list: UserList | undefined, action: Action): ReadonlyMap<string, readonly Rule[]> | undefined {
  if (list === undefined) return undefined;
  const named = new Map<string, readonly Rule[]>();
  for (const [user, filters] of list) {
    named.set(
      user,
      filters.map((filter, index) => ({ filter, name: `${action}.${user}[${index}]` })),
    );
  }
  return named;
}
