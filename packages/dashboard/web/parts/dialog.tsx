// A dialog that asks before something is done, shows what went wrong, and stays open until it is done.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api/problem.ts";
import { say } from "./announce.tsx";

interface DialogProps {
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly confirm: string;
  readonly danger?: boolean;
  /** May it be confirmed? Default true. */
  readonly ready?: boolean;
  /** Does it; returns what is said afterwards. */
  readonly run: () => Promise<string>;
  readonly close: () => void;
}

export function ActionDialog({ title, children, confirm, danger = false, ready = true, run, close }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<string>();
  const [running, setRunning] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setRunning(true);
    setError(undefined);
    try {
      say(await run());
      close();
    } catch (problem) {
      setError(messageOf(problem));
      setRunning(false);
    }
  };
  return (
    <dialog ref={dialog} onClose={close} aria-label={title}>
      <form onSubmit={(event) => void submit(event)}>
        <h2>{title}</h2>
        {children}
        {error !== undefined && (
          <p class="note failed" role="alert">
            {error}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class={danger ? "danger" : "primary"} disabled={running || !ready}>
            {running ? "…" : confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}
