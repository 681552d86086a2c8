// How the recording goes, what ends it, and its file.
import { download, TRACE_TYPE } from "../../api/download.ts";
import { MOST_BYTES, type Recording, stopRecording } from "../../api/recording.ts";
import { useNow } from "../../parts/hooks.ts";
import { Badge } from "../../parts/states.tsx";
import { bytes, count, duration } from "../../pure/format.ts";
import { traceFileName } from "../../pure/time-line.ts";

export function Progress({ recorded }: { readonly recorded: Recording }) {
  const now = useNow(500);
  const { line, running, since, seconds, texts } = recorded;
  const { header } = line;
  const elapsed = Math.min(seconds, (now - since) / 1_000);
  return (
    <section class="panel recording" aria-label="Recording">
      {running ? <Badge tone="bad">recording</Badge> : <Badge tone="ok">recorded</Badge>}
      <span>
        {count(line.entries.length)} {line.entries.length === 1 ? "line" : "lines"}, {bytes(line.size)}
      </span>
      {running && (
        <>
          <progress max={seconds} value={elapsed} aria-label="Time" />
          <span class="soft">
            {duration(seconds - elapsed)} left, at most {bytes(MOST_BYTES)}
          </span>
          <button type="button" class="primary" onClick={stopRecording}>
            Stop
          </button>
        </>
      )}
      <button
        type="button"
        disabled={header === undefined}
        onClick={() => header !== undefined && download(traceFileName(header), texts, TRACE_TYPE)}
      >
        Download
      </button>
    </section>
  );
}
