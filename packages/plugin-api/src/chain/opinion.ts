// One plugin's answer to a question, where the chain gives the result only.

export interface Opinion {
  readonly plugin: string;
  readonly decision: "allow" | "deny" | "abstain";
  /** What decided, as the plugin names it; undefined: it gave no reason. */
  readonly rule: string | undefined;
}

/**
 * The result of all opinions by the decision rule: no opinion is ignored, any refusal denies, at least one yes is needed.
 * Without any plugin that decides everything is allowed.
 */
export function isGranted(opinions: readonly Pick<Opinion, "decision">[]): boolean {
  if (opinions.length === 0) return true;
  return !opinions.some(({ decision }) => decision === "deny") && opinions.some(({ decision }) => decision === "allow");
}
