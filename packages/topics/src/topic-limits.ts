/** What a server may restrict beyond the standard; a limit left out does not apply. */
export interface TopicLimits {
  /** The most levels ("a/b" has two) a topic name or topic filter may have. */
  readonly maxLevels?: number;
}
