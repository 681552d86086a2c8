// Hooks of all pages: stores, commands that are called again and again, and streams.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isAborted, read } from "../api/commands.ts";
import { messageOf } from "../api/problem.ts";
import type { Answer, CommandName, Input } from "../api/types.ts";
import { parseRoute, type Route } from "../pure/route.ts";
import type { Store } from "../pure/store.ts";

// What is drawn first is looked at again when the subscription begins: effects come a frame later, on a busy machine
// many milliseconds, and a change in between is told to nobody.

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(() => store.value);
  useEffect(() => {
    const look = (): void => setValue(() => store.value);
    look();
    return store.subscribe(look);
  }, [store]);
  return value;
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const look = (): void => setHash(location.hash);
    look();
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return parseRoute(hash);
}

/** The time, every few seconds. */
export function useNow(interval = 1_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}

export interface Asked<T> {
  /** The last answer; it stays while the next one is on its way. */
  readonly data: T | undefined;
  readonly error: string | undefined;
  readonly loading: boolean;
  refresh(): void;
}

export interface AskOptions {
  /** Milliseconds after which it is called again, while the page is visible. Default: once. */
  readonly every?: number;
  /** Default true. */
  readonly when?: boolean;
}

/** Calls a command that reads, again when the input is another one. */
export function useCommand<Name extends CommandName>(
  name: Name,
  input: Input<Name>,
  { every, when = true }: AskOptions = {},
): Asked<Answer<Name>> {
  const [state, setState] = useState<Omit<Asked<Answer<Name>>, "refresh">>({
    data: undefined,
    error: undefined,
    loading: when,
  });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify([name, input]);
  const known = useRef(key);
  useEffect(() => {
    if (!when) return undefined;
    const end = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const isOther = known.current !== key;
    known.current = key;
    setState(({ data }) => ({ data: isOther ? undefined : data, error: undefined, loading: true }));
    const ask = async (): Promise<void> => {
      try {
        if (!document.hidden || every === undefined) {
          const data = await read(name, input, end.signal);
          setState({ data, error: undefined, loading: false });
        }
      } catch (error) {
        if (end.signal.aborted || isAborted(error)) return;
        setState(({ data }) => ({ data, error: messageOf(error), loading: false }));
      }
      if (every !== undefined && !end.signal.aborted) timer = setTimeout(() => void ask(), every);
    };
    void ask();
    return () => {
      end.abort();
      clearTimeout(timer);
    };
  }, [key, every, when, turn]);
  const refresh = useCallback(() => setTurn((number) => number + 1), []);
  return { ...state, refresh };
}

/** A value that follows another one when that has not changed for a while. */
export function useSettled<T>(value: T, pause = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pause);
    return () => clearTimeout(timer);
  }, [value, pause]);
  return settled;
}
