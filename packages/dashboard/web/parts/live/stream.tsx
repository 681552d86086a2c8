// Streams of the broker on a page: reading them, drawing what comes not too often, and saying how they are.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isUnreachable, stream } from "../../api/commands.ts";
import { messageOf } from "../../api/problem.ts";
import type { Answer, CommandName, Input } from "../../api/types.ts";
import { Badge } from "../states.tsx";

export type StreamState =
  | { readonly kind: "off" }
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "ended"; readonly reason: string };

export interface Streamed {
  readonly state: StreamState;
  restart(): void;
}

/** Milliseconds after which a broker that did not answer is asked again. */
const RETRY = 3_000;

/** Reads a stream while `input` is given; it begins anew when `input` changes, and when the broker is there again. */
export function useStream<Name extends CommandName>(
  name: Name,
  input: Input<Name> | undefined,
  lines: (batch: readonly Answer<Name>[]) => void,
): Streamed {
  const [state, setState] = useState<StreamState>({ kind: "off" });
  const [turn, setTurn] = useState(0);
  const begun = useRef<string | undefined>(undefined);
  const latest = useRef(lines);
  latest.current = lines;
  const restart = useCallback(() => setTurn((number) => number + 1), []);
  const key = input === undefined ? undefined : JSON.stringify(input);
  useEffect(() => {
    begun.current = key;
    if (input === undefined) {
      setState({ kind: "off" });
      return undefined;
    }
    const end = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setState({ kind: "connecting" });
    stream(name, input, {
      signal: end.signal,
      opened: () => setState({ kind: "live" }),
      lines: (batch) => latest.current(batch as Answer<Name>[]),
    })
      .then(() => {
        if (!end.signal.aborted) setState({ kind: "ended", reason: "The broker has ended it." });
      })
      .catch((error: unknown) => {
        if (end.signal.aborted) return;
        setState({ kind: "ended", reason: messageOf(error) });
        if (isUnreachable(error)) timer = setTimeout(restart, RETRY);
      });
    return () => {
      end.abort();
      clearTimeout(timer);
    };
  }, [name, key, turn]);
  // Until it has begun with this input, its state is that of the stream before.
  return { state: begun.current === key || key === undefined ? state : { kind: "connecting" }, restart };
}

export function StreamNote({ streamed: { state, restart } }: { readonly streamed: Streamed }) {
  if (state.kind === "live") return <Badge tone="ok">live</Badge>;
  if (state.kind === "connecting") return <Badge>connecting …</Badge>;
  if (state.kind === "off") return <Badge>off</Badge>;
  return (
    <>
      <Badge tone="bad">ended</Badge>
      <span class="soft" role="alert">
        {state.reason}
      </span>
      <button type="button" onClick={restart}>
        Start again
      </button>
    </>
  );
}

/** Draws again: `soon` at most once in an interval, however often it is called; `now` for what a person does. */
export function useRedraw(interval = 250): { readonly soon: () => void; readonly now: () => void } {
  const [, render] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const now = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = undefined;
    render((number) => number + 1);
  }, []);
  const soon = useCallback(() => {
    timer.current ??= setTimeout(now, interval);
  }, [interval]);
  return { soon, now };
}
