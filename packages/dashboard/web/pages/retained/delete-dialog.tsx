// Deletes retained messages, after it has said which.
import { useEffect, useState } from "preact/hooks";
import { write } from "../../api/commands.ts";
import { messageOf } from "../../api/problem.ts";
import type { Answer } from "../../api/types.ts";
import { ActionDialog } from "../../parts/dialog.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { count, counted } from "../../pure/format.ts";
import { printable } from "../../pure/messages/payload.ts";

interface DeleteProps {
  readonly filter: string;
  readonly close: () => void;
  readonly done: () => void;
}

export function DeleteDialog({ filter, close, done }: DeleteProps) {
  const [plan, setPlan] = useState<Answer<"retained.delete">>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    write("retained.delete", { filter, dryRun: true }).then(setPlan, (problem: unknown) =>
      setError(messageOf(problem)),
    );
  }, [filter]);
  const matched = plan?.matched ?? 0;
  return (
    <ActionDialog
      title="Delete retained messages"
      confirm={plan === undefined ? "Delete" : `Delete ${count(matched)}`}
      danger
      ready={matched > 0}
      close={close}
      run={async () => {
        const { deleted, complete } = await write("retained.delete", { filter, dryRun: false });
        done();
        return `${counted(deleted, "retained message")} deleted${complete ? "" : ": there are more"}.`;
      }}
    >
      {error !== undefined && <Failed error={error} />}
      {plan === undefined && error === undefined && <Loading what="Looking what this deletes" />}
      {plan !== undefined && (
        <>
          <p>
            <code class="break">{filter}</code> matches <b>{counted(matched, "retained message")}</b>
            {plan.complete ? "" : " or more"}. {matched > 0 && "Their publishers and subscribers are told nothing."}
          </p>
          <ul class="topics" aria-label="What is deleted">
            {plan.topics.map((topic) => (
              <li key={topic}>
                <code class="break">{printable(topic)}</code>
              </li>
            ))}
          </ul>
          {matched > plan.topics.length && <p class="soft">and {count(matched - plan.topics.length)} more</p>}
        </>
      )}
    </ActionDialog>
  );
}
