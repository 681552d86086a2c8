// Makes one log line of an error. A caller that knows more about errors, such as the command, can pass its own
// function.
export type Describe = (error: unknown) => string;

export const messageOf: Describe = (error) =>
  (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, " ");
