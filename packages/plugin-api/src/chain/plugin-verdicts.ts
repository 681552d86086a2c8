// Makes verdicts with the plugin's name of one plugin's answers to one hook. Frequent ones are made once.
import { ReasonCode } from "@wrenmq/codec";
import type { Verdict } from "@wrenmq/protocol";
import type { Decision } from "../hooks.ts";

export class PluginVerdicts {
  readonly plugin: string;
  readonly hook: string;
  readonly yes: Verdict;
  readonly no: Verdict;
  /** The verdict when the hook throws, rejects or is late. */
  readonly failure: Verdict;

  constructor(plugin: string, hook: string, failureCode: ReasonCode) {
    this.plugin = plugin;
    this.hook = hook;
    this.yes = { reasonCode: ReasonCode.Success, rule: plugin };
    this.no = { reasonCode: ReasonCode.NotAuthorized, rule: plugin };
    this.failure = { reasonCode: failureCode, rule: `the hook "${hook}" failed` };
  }

  sign<T extends Verdict>(verdict: T): T {
    return { ...verdict, rule: verdict.rule === undefined ? this.plugin : `${this.plugin}: ${verdict.rule}` };
  }

  /** undefined (no opinion) stays undefined. */
  of(decision: Decision): Verdict | undefined {
    if (decision === undefined) return undefined;
    if (decision === true) return this.yes;
    if (decision === false) return this.no;
    return this.sign(decision);
  }
}
