// What a reload would change, key by key, and the button that does it.
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { write } from "../api/commands.ts";
import { messageOf, Problem } from "../api/problem.ts";
import { may } from "../api/session.ts";
import type { Answer } from "../api/types.ts";
import { ActionDialog } from "../parts/dialog.tsx";
import { Badge, Empty, Failed, Loading, Section } from "../parts/states.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { consequences, EFFECTS } from "../pure/changes.ts";

type Report = Answer<"reload">;
type Change = Report["changes"][number];

const COLUMNS: readonly Column<Change>[] = [
  { label: "Key", render: ({ key }) => <Key path={key} /> },
  { label: "Now", render: ({ before }) => <Value text={before} /> },
  { label: "In the file", render: ({ after }) => <Value text={after} /> },
  { label: "Counts", render: ({ effect }) => <Badge tone={EFFECTS[effect].tone}>{EFFECTS[effect].text}</Badge> },
];

/** It is broken at its dots, if at all. */
function Key({ path }: { readonly path: string }) {
  return (
    <code>
      {path.split(/(?<=\.)/).map((part, index) => (
        <Fragment key={index}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </code>
  );
}

function Value({ text }: { readonly text: string | undefined }) {
  return text === undefined ? <span class="soft">none</span> : <code class="value">{text}</code>;
}

export function Configuration() {
  const { report, error, look } = useDryRun();
  const [asks, setAsks] = useState(false);
  if (!may("operate")) {
    return (
      <Empty>
        Whoever may only read does not see the configuration: it takes a token of the role <code>operate</code>.
      </Empty>
    );
  }
  if (error instanceof Problem && error.code === "unavailable") {
    return (
      <Empty>This broker has no configuration to read again: the program that runs it decides how it is set up.</Empty>
    );
  }
  return (
    <>
      <div class="toolbar">
        {report !== undefined && <Source source={report.source} />}
        <span class="grow" />
        <button type="button" onClick={look}>
          Look again
        </button>
        <button
          type="button"
          class="primary"
          disabled={report === undefined || error !== undefined || report.changes.length === 0}
          onClick={() => setAsks(true)}
        >
          Reload …
        </button>
      </div>
      {error !== undefined && <Broken error={error} retry={look} />}
      {report === undefined && error === undefined && <Loading what="Reading the configuration" />}
      {report !== undefined && error === undefined && <Differences report={report} />}
      {asks && report !== undefined && (
        <ReloadDialog
          report={report}
          close={() => {
            setAsks(false);
            look();
          }}
        />
      )}
    </>
  );
}

interface DryRun {
  readonly report: Report | undefined;
  readonly error: unknown;
  look(): void;
}

function useDryRun(): DryRun {
  const [state, setState] = useState<Omit<DryRun, "look">>({ report: undefined, error: undefined });
  const look = (): void => {
    write("reload", { dryRun: true })
      .then((report) => setState({ report, error: undefined }))
      .catch((error: unknown) => setState(({ report }) => ({ report, error })));
  };
  useEffect(() => {
    if (may("operate")) look();
  }, []);
  return { ...state, look };
}

function Source({ source }: { readonly source: string | undefined }) {
  if (source === undefined) return <Badge tone="warn">no file</Badge>;
  return (
    <span class="soft">
      File <code class="break">{source}</code>
    </span>
  );
}

function Broken({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  const isWrong = error instanceof Problem && error.code === "conflict";
  return (
    <>
      <Failed error={messageOf(error)} retry={retry} />
      {isWrong && (
        <p class="soft">
          The file has a mistake: a reload would change nothing, and the broker goes on as it is. All mistakes:{" "}
          <code>wrenmq config check FILE</code>
        </p>
      )}
    </>
  );
}

function Differences({ report: { changes, warnings, source } }: { readonly report: Report }) {
  return (
    <>
      <Section title={titleOf(changes.length)}>
        {changes.length > 0 ? (
          <Table
            caption="What a reload changes"
            columns={COLUMNS}
            rows={changes}
            rowKey={({ key, effect }) => `${key} ${effect}`}
            stacks
          />
        ) : source === undefined ? (
          <Empty>
            The broker was started without a configuration file, so a reload finds nothing. Start it with{" "}
            <code>wrenmq start --config FILE</code>.
          </Empty>
        ) : (
          <Empty>
            The broker runs with what the file says. Contents of other files, such as certificates and passwords, are
            read by themselves when they change.
          </Empty>
        )}
      </Section>
      {warnings.length > 0 && (
        <Section title="Worth a thought">
          <ul class="lines">
            {warnings.map((warning) => (
              <li key={warning} class="warn">
                {warning}
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

function titleOf(changes: number): string {
  if (changes === 0) return "A reload changes nothing";
  return changes === 1 ? "A reload changes one key" : `A reload changes ${changes} keys`;
}

function ReloadDialog({ report, close }: { readonly report: Report; readonly close: () => void }) {
  const known = consequences(report.changes);
  return (
    <ActionDialog
      title="Reload the configuration"
      confirm="Reload"
      danger={report.changes.some(({ effect }) => effect === "closes" || effect === "moves")}
      close={close}
      run={async () => {
        const { changed, needsRestart } = await write("reload", {});
        if (!changed) return "Nothing was different any more.";
        return needsRestart.length === 0
          ? "The configuration is reloaded."
          : `The configuration is reloaded; ${needsRestart.join(", ")} after a restart.`;
      }}
    >
      <p>All of it is applied, or nothing: if something cannot be done, the broker goes on as it is.</p>
      {known.length > 0 && (
        <ul class="lines">
          {known.map((line) => (
            <li key={line} class="warn">
              {line}
            </li>
          ))}
        </ul>
      )}
    </ActionDialog>
  );
}
