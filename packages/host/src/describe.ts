// How an error becomes one line of the log. Whoever knows more about errors, such as the command line, brings a way of its own.
export type Describe = (error: unknown) => string;

export const messageOf: Describe = (error) =>
  (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, " ");
