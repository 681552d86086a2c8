// A plot over time with uPlot. Its legend shows the values under the pointer, otherwise the last ones; all plots of a
// page share the pointer.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock } from "../pure/format.ts";
import type { Column } from "../pure/rates.ts";
import { useStore } from "./hooks.ts";
import { colorOf, look } from "./theme.ts";

export interface Series {
  readonly label: string;
  readonly values: Column;
  /** Number of the colour: 1 to 6. */
  readonly color: number;
}

interface PlotProps {
  readonly title: string;
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  readonly height?: number;
  /** Seconds that are shown; absent: all there is. */
  readonly span?: number;
  /** Does the axis begin at zero? Default true. */
  readonly fromZero?: boolean;
  /** Is each value a point, where there are few? Default false. */
  readonly points?: boolean;
}

export function Plot(props: PlotProps) {
  const { title, times, series, format, height = 132 } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [pointer, setPointer] = useState<number | null>(null);
  const seen = useStore(look);
  const shape = series.map(({ label, color }) => `${label}${color}`).join();
  const data = (): uPlot.AlignedData =>
    [times.map((at) => at / 1_000), ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf(latest, element.clientWidth, height, setPointer), data(), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [shape, seen, height]);
  useEffect(() => plot.current?.setData(data()), [times, series]);

  const at = pointer === null || pointer >= times.length ? times.length - 1 : pointer;
  const shown = series.map(({ label, values, color }) => ({ label, color, value: values[at] ?? null }));
  const words = shown.map(({ label, value }) => `${label} ${value === null ? "–" : format(value)}`).join(", ");
  return (
    <figure class="plot panel">
      <figcaption>
        <h3>{title}</h3>
        <ul class="legend">
          {shown.map(({ label, color, value }) => (
            <li key={label}>
              <i class={`swatch s${color}`} />
              <span>{label}</span>
              <b>{value === null ? "–" : format(value)}</b>
            </li>
          ))}
        </ul>
        {pointer !== null && times[at] !== undefined && <time class="soft">{clock(times[at])}</time>}
      </figcaption>
      <div ref={host} class="canvas" role="img" aria-label={`${title}: ${words}`} />
    </figure>
  );
}

function optionsOf(
  latest: { readonly current: PlotProps },
  width: number,
  height: number,
  setPointer: (index: number | null) => void,
): uPlot.Options {
  const { series, fromZero = true, points = false } = latest.current;
  const font = "11px system-ui, sans-serif";
  const axis = {
    stroke: colorOf("--soft"),
    font,
    ticks: { show: false },
    grid: { stroke: colorOf("--grid"), width: 1 },
  };
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false }, sync: { key: "all" } },
    scales: {
      x: {
        range: (_plot, min, max) => {
          const { span } = latest.current;
          return [span === undefined ? min : Math.min(min, max - span), max];
        },
      },
      y: {
        range: (_plot, min, max) => {
          if (fromZero) return [0, max > 0 ? max * 1.15 : 1];
          const room = max > min ? (max - min) * 0.1 : Math.abs(max) * 0.1 || 1;
          return [min - room, max + room];
        },
      },
    },
    axes: [
      { ...axis, size: 22, space: 70, values: (_plot, ticks) => ticks.map((tick) => clock(tick * 1_000)) },
      { ...axis, size: 58, space: 28, values: (_plot, ticks) => ticks.map((tick) => latest.current.format(tick)) },
    ],
    series: [
      {},
      ...series.map(({ label, color }) => ({
        label,
        stroke: colorOf(`--series-${color}`),
        width: 1.5,
        points: points ? { size: 5 } : { show: false },
        ...(series.length === 1 ? { fill: colorOf(`--series-${color}`, 0.1) } : {}),
      })),
    ],
    hooks: { setCursor: [({ cursor: { idx } }) => setPointer(idx ?? null)] },
  };
}
