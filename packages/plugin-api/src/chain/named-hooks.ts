// One plugin's hooks, with the plugin's name in verdicts and logs.
import type { Hooks } from "../hooks.ts";

export interface NamedHooks {
  readonly name: string;
  readonly hooks: Hooks;
}
