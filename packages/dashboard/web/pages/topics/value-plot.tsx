// The numbers of a topic over time: of its payloads, or of a path in their JSON.
import { useMemo, useState } from "preact/hooks";
import { Select } from "../../parts/field.tsx";
import { Plot } from "../../parts/plot.tsx";
import { exact } from "../../pure/format.ts";
import type { Message } from "../../pure/messages/message.ts";
import { numberPaths, valuesOf } from "../../pure/messages/values.ts";

/** Seconds that are shown at least. */
const SHORTEST = 5;
const WHOLE = "the payload";

export function ValuePlot({ history }: { readonly history: readonly Message[] }) {
  const [asked, setAsked] = useState<string>();
  const paths = useMemo(() => numberPaths(history), [history]);
  const [first] = paths.keys();
  const text = asked !== undefined && paths.has(asked) ? asked : first;
  const path = text === undefined ? undefined : paths.get(text);
  const values = useMemo(() => (path === undefined ? undefined : valuesOf(history, path)), [history, path]);
  if (text === undefined || values === undefined) return null;
  const options = Object.fromEntries([...paths.keys()].map((one) => [one, nameOf(one)]));
  const { times, values: column } = values;
  const series = [{ label: nameOf(text), color: 1, values: column }];
  return (
    <div class="pile">
      {paths.size > 1 && <Select label="Number to plot" value={text} change={setAsked} options={options} />}
      <Plot title="Value" times={times} series={series} format={exact} span={SHORTEST} fromZero={false} points />
    </div>
  );
}

const nameOf = (path: string): string => (path === "" ? WHOLE : path);
