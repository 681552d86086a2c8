// The trace that is recorded at present, or was: it goes on while other pages are looked at.
import { Store } from "../pure/store.ts";
import { TimeLine } from "../pure/time-line.ts";
import { stream } from "./commands.ts";
import { messageOf } from "./problem.ts";
import { session } from "./session.ts";
import type { Input } from "./types.ts";

export type TraceInput = Pick<Input<"trace.run">, "client" | "topic" | "seconds" | "payloads">;

export interface Recording {
  readonly line: TimeLine;
  /** The lines of the file. */
  readonly texts: readonly string[];
  readonly seconds: number;
  /** Epoch milliseconds, by the clock of the browser. */
  readonly since: number;
  readonly running: boolean;
  readonly error?: string;
}

/** Bytes of a trace that a browser holds. */
export const MOST_BYTES: number = 16 * 1_048_576;
/** Milliseconds between two looks at what has come. */
const INTERVAL = 250;

export const recording: Store<Recording | undefined> = new Store<Recording | undefined>(undefined);

let end: AbortController | undefined;

export function startRecording(input: TraceInput): void {
  stopRecording();
  const own = new AbortController();
  end = own;
  const line = new TimeLine();
  const texts: string[] = [];
  const seconds = input.seconds ?? 60;
  const common = { line, texts, seconds, since: Date.now() };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = (more: Partial<Recording> = {}): void => {
    clearTimeout(timer);
    timer = undefined;
    recording.set({ ...common, running: true, ...more });
  };
  const ended = (error?: string): void => {
    if (end === own) end = undefined;
    if (recording.value?.line === line) show({ running: false, ...(error === undefined ? {} : { error }) });
  };
  show();
  stream(
    "trace.run",
    { ...input, maxBytes: MOST_BYTES },
    {
      signal: own.signal,
      lines: (batch) => {
        for (const one of batch) {
          const text = `${JSON.stringify(one)}\n`;
          texts.push(text);
          line.push(text);
        }
        timer ??= setTimeout(show, INTERVAL);
      },
    },
  ).then(
    () => ended(),
    (error: unknown) => ended(own.signal.aborted ? undefined : messageOf(error)),
  );
}

/** What was recorded stays. */
export function stopRecording(): void {
  end?.abort();
}

export function forgetRecording(): void {
  stopRecording();
  recording.set(undefined);
}

// Whoever signs in next does not see what was recorded before.
session.subscribe(() => {
  const { value } = session;
  if (value.kind === "out" && value.reason === undefined) forgetRecording();
});
