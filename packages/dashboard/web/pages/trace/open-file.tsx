// Opens a trace of this machine: it stays in the browser.
import { useId, useState } from "preact/hooks";
import { messageOf } from "../../api/problem.ts";
import { bytes } from "../../pure/format.ts";
import { TimeLine } from "../../pure/time-line.ts";

interface OpenFileProps {
  readonly opened: (name: string, line: TimeLine) => void;
  readonly failed: (error: string) => void;
}

/** Bytes; longer ones are for the command line. */
const LONGEST = 64 * 1_048_576;

export function OpenFile({ opened, failed }: OpenFileProps) {
  const id = useId();
  const [isOver, setIsOver] = useState(false);
  const [reading, setReading] = useState<string>();
  const open = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    setReading(file.name);
    try {
      opened(file.name, await readFile(file));
    } catch (error) {
      failed(`${file.name}: ${messageOf(error)}`);
    }
    setReading(undefined);
  };
  return (
    <section
      class={`panel drop ${isOver ? "over" : ""}`}
      aria-label="Open a file"
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        void open(event.dataTransfer?.files[0]);
      }}
    >
      <header>
        <h2>Open a file</h2>
      </header>
      <div class="form">
        <label class="field" for={id}>
          <span>A trace, made here or by wrenmq trace -o</span>
          <input
            id={id}
            type="file"
            onChange={(event) => {
              const input = event.currentTarget;
              void open(input.files?.[0]).finally(() => {
                input.value = "";
              });
            }}
          />
          <small>Or drop it here. It stays in this browser: nothing is sent.</small>
        </label>
        {reading !== undefined && (
          <span class="soft" role="status">
            Reading {reading} …
          </span>
        )}
      </div>
    </section>
  );
}

/** In pieces, so that the page can be used meanwhile. @throws TraceError, Error */
async function readFile(file: File): Promise<TimeLine> {
  if (file.size > LONGEST) throw new Error(`it has ${bytes(file.size)}: wrenmq trace show prints files of any length`);
  const line = new TimeLine();
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) line.push(piece.value);
  line.end();
  return line;
}
