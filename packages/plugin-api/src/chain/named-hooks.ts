// One plugin's hooks under the name that verdicts and logs show.
import type { Hooks } from "../hooks.ts";

export interface NamedHooks {
  readonly name: string;
  readonly hooks: Hooks;
}
