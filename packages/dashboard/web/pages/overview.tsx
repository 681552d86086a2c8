// Is all well? Health in words, the most important numbers, and plots of the last minutes.
import { useState } from "preact/hooks";
import { samples } from "../api/feed.ts";
import { Choice } from "../parts/field.tsx";
import { useCommand, useStore } from "../parts/hooks.ts";
import { Plot } from "../parts/plot.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { type Certificate, type Finding, findingsOf } from "../pure/findings.ts";
import { bytes, bytesPerSecond, count, duration, latency, perSecond, short } from "../pure/format.ts";
import { column, lastSeconds, rates, reasonsOf, recentRate, type Sample } from "../pure/rates.ts";

const SPANS = { "60": "1 min", "300": "5 min", "900": "15 min" } as const;
const MOST_REASONS = 4;

export function Overview() {
  const all = useStore(samples);
  const health = useCommand("health", {}, { every: 5_000 });
  const listeners = useCommand("listeners.list", {}, { every: 60_000 });
  const plugins = useCommand("plugins.list", {}, { every: 15_000 });
  const about = useCommand("stats", { sampleMs: 0 }, { every: 10_000 });
  const [span, setSpan] = useState<keyof typeof SPANS>("300");
  const certificates: Certificate[] = (listeners.data?.items ?? []).flatMap(({ name, certificates: own }) =>
    own.map(({ daysLeft, problem }) => ({ listener: name, daysLeft, problem })),
  );
  return (
    <>
      {health.data === undefined && health.error === undefined ? (
        <Loading what="Asking how the broker is" />
      ) : health.error !== undefined ? (
        <Failed error={health.error} retry={health.refresh} />
      ) : (
        <Verdict
          findings={findingsOf(health.data, all, certificates, plugins.data?.items)}
          uptime={about.data?.uptimeSeconds}
        />
      )}
      <Numbers samples={all} />
      <div class="toolbar">
        <Choice label="Time that the plots show" options={SPANS} value={span} change={setSpan} />
        <span class="soft">
          {about.data !== undefined &&
            `WrenMQ ${about.data.version}, Node ${about.data.node}, process ${about.data.pid}`}
        </span>
      </div>
      <Plots samples={all} span={Number(span)} />
    </>
  );
}

function Verdict({ findings, uptime }: { readonly findings: readonly Finding[]; readonly uptime: number | undefined }) {
  const isBad = findings.some(({ level }) => level === "bad");
  const running = uptime === undefined ? "" : `Running for ${duration(uptime)}.`;
  if (findings.length === 0) {
    return (
      <section class="verdict ok" aria-label="Health">
        <p>
          <b>All is well.</b>{" "}
          <span>The broker takes clients, the store works, nothing serious was lost in the last minute. {running}</span>
        </p>
      </section>
    );
  }
  return (
    <section class={`verdict ${isBad ? "bad" : "warn"}`} aria-label="Health">
      <p>
        <b>
          {isBad ? "Something is wrong" : "Worth a look"}:{" "}
          {findings.length === 1 ? "one thing" : `${findings.length} things`}.
        </b>{" "}
        <span>{running}</span>
      </p>
      <ul>
        {findings.map(({ level, text, hint, href }) => (
          <li key={text} class={level}>
            <b>{text}.</b> {href === undefined ? hint : <a href={href}>{hint}</a>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Numbers({ samples: all }: { readonly samples: readonly Sample[] }) {
  const last = all.at(-1);
  const value = (of: (sample: Sample) => number): string => (last === undefined ? "–" : short(of(last)));
  const rate = (of: (sample: Sample) => number): string => perSecond(recentRate(all, of));
  return (
    <dl class="tiles">
      <Tile name="Clients" value={value((one) => one.connections)} href="#/clients" />
      <Tile name="Sessions" value={value((one) => one.sessions)} href="#/sessions" />
      <Tile name="Subscriptions" value={value((one) => one.subscriptions)} />
      <Tile name="Retained" value={value((one) => one.retained)} href="#/retained" />
      <Tile name="Waiting" value={value((one) => one.queued)} href="#/sessions?view=queues" />
      <Tile name="Messages in" value={rate((one) => one.messages.received)} />
      <Tile name="Messages out" value={rate((one) => one.messages.sent)} />
      <Tile name="Lost" value={rate((one) => one.messages.dropped)} />
    </dl>
  );
}

function Tile({ name, value, href }: { readonly name: string; readonly value: string; readonly href?: string }) {
  return (
    <div>
      <dt>{href === undefined ? name : <a href={href}>{name}</a>}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Plots({ samples: all, span }: { readonly samples: readonly Sample[]; readonly span: number }) {
  const shown = lastSeconds(all, span);
  if (shown.length === 0) return <Loading what="Waiting for the first numbers" />;
  const times = shown.map(({ at }) => at);
  const common = { times, span };
  const reasons = reasonsOf(shown).slice(0, MOST_REASONS);
  return (
    <div class="plots">
      <Plot
        {...common}
        title="Messages"
        format={perSecond}
        series={[
          { label: "in", color: 1, values: rates(shown, (one) => one.messages.received) },
          { label: "out", color: 2, values: rates(shown, (one) => one.messages.sent) },
        ]}
      />
      <Plot
        {...common}
        title="Bytes"
        format={bytesPerSecond}
        series={[
          { label: "in", color: 1, values: rates(shown, (one) => one.bytes.received) },
          { label: "out", color: 2, values: rates(shown, (one) => one.bytes.sent) },
        ]}
      />
      <Plot
        {...common}
        title="Connections"
        format={short}
        series={[{ label: "clients", color: 1, values: column(shown, (one) => one.connections) }]}
      />
      <Plot
        {...common}
        title="Lost, by reason"
        format={perSecond}
        series={
          reasons.length === 0
            ? [{ label: "none", color: 4, values: rates(shown, (one) => one.messages.dropped) }]
            : reasons.map(({ reason }, index) => ({
                label: reason,
                color: index + 3,
                values: rates(shown, (one) => one.droppedByReason[reason] ?? 0),
              }))
        }
      />
      <Plot
        {...common}
        title="Messages take"
        format={latency}
        series={[
          { label: "50 %", color: 1, values: column(shown, (one) => one.latencyP50) },
          { label: "99 %", color: 3, values: column(shown, (one) => one.latencyP99) },
        ]}
      />
      <Plot
        {...common}
        title="Event loop is late by"
        format={latency}
        series={[{ label: "99 %", color: 3, values: column(shown, (one) => one.loopDelayP99) }]}
      />
      <Plot
        {...common}
        title="Memory"
        format={bytes}
        series={[
          { label: "process", color: 2, values: column(shown, (one) => one.residentBytes) },
          { label: "heap", color: 1, values: column(shown, (one) => one.heapBytes) },
        ]}
      />
      <Plot
        {...common}
        title="Waiting in queues"
        format={count}
        series={[{ label: "messages", color: 5, values: column(shown, (one) => one.queued) }]}
      />
    </div>
  );
}
