/** What a server may restrict beyond the standard; a limit left out does not apply. */
export interface TopicLimits {
  /** The most levels ("a/b" has two) a topic name or topic filter may have. Default: no limit. */
  readonly maxLevels?: number;
}

/** Whether the text from `start` on keeps to the limits. */
export function withinLimits(text: string, start: number, limits: TopicLimits | undefined): boolean {
  if (limits?.maxLevels === undefined) return true;
  let levels = 1;
  for (let slash = text.indexOf("/", start); slash >= 0; slash = text.indexOf("/", slash + 1)) levels++;
  return levels <= limits.maxLevels;
}
