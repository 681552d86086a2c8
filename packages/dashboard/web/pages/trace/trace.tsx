// Records what happens to a client or a topic, and opens such files: the same time line as `wrenmq trace show`.
import { useState } from "preact/hooks";
import { forgetRecording, recording } from "../../api/recording.ts";
import { useStore } from "../../parts/hooks.ts";
import { Failed } from "../../parts/states.tsx";
import type { PageProps } from "../../pure/route.ts";
import type { TimeLine } from "../../pure/time-line.ts";
import { OpenFile } from "./open-file.tsx";
import { Progress } from "./progress.tsx";
import { StartForm } from "./start-form.tsx";
import { TimeLineView } from "./time-line-view.tsx";

interface Opened {
  readonly name: string;
  readonly line: TimeLine;
}

export function Trace({ route: { query } }: PageProps) {
  const recorded = useStore(recording);
  const [opened, setOpened] = useState<Opened>();
  const [error, setError] = useState<string>();
  if (opened !== undefined) {
    return (
      <TimeLineView
        name={opened.name}
        line={opened.line}
        size={opened.line.entries.length}
        close={() => setOpened(undefined)}
      />
    );
  }
  const isRunning = recorded?.running === true;
  const hasLines = recorded?.line.header !== undefined;
  return (
    <>
      {!isRunning && !hasLines && (
        <div class="columns">
          <StartForm query={query} />
          <OpenFile
            opened={(name, line) => {
              setError(undefined);
              setOpened({ name, line });
            }}
            failed={setError}
          />
        </div>
      )}
      {error !== undefined && <Failed error={error} />}
      {recorded !== undefined && (
        <>
          <Progress recorded={recorded} />
          {recorded.error !== undefined && <Failed error={recorded.error} />}
          {hasLines && (
            <TimeLineView
              name={isRunning ? "What happens" : "What has happened"}
              line={recorded.line}
              size={recorded.line.entries.length}
              follows={isRunning}
              close={isRunning ? undefined : forgetRecording}
            />
          )}
        </>
      )}
    </>
  );
}
