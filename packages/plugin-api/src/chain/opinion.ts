// What one plugin says to a question, where the chain of all only gives the outcome.

export interface Opinion {
  readonly plugin: string;
  readonly decision: "allow" | "deny" | "abstain";
  /** What the plugin says decided, in its own words; undefined where it gave no reason. */
  readonly rule: string | undefined;
}
