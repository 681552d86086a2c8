// One plugin's answer to a question, where the chain gives the result only.

export interface Opinion {
  readonly plugin: string;
  readonly decision: "allow" | "deny" | "abstain";
  /** What decided, as the plugin names it; undefined: it gave no reason. */
  readonly rule: string | undefined;
}
