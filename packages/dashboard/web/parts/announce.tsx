// One line about what was done, also for those who hear it.
import { useEffect } from "preact/hooks";
import { Store } from "../pure/store.ts";
import { useStore } from "./hooks.ts";

const SHOWN = 6_000;
const said: Store<{ readonly text: string } | undefined> = new Store<{ readonly text: string } | undefined>(undefined);

export function say(text: string): void {
  said.set({ text });
}

export function Announcements() {
  const line = useStore(said);
  useEffect(() => {
    if (line === undefined) return undefined;
    const timer = setTimeout(() => said.set(undefined), SHOWN);
    return () => clearTimeout(timer);
  }, [line]);
  return (
    <div class={`announcement ${line === undefined ? "" : "shown"}`} role="status" aria-live="polite">
      {line?.text}
    </div>
  );
}
