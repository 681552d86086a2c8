// The packets of a client as they come, and what the broker does with its messages.
import { packetFacts, packetName, packetWords, recordWords, type TraceRecord } from "@wrenmq/admin/trace";
import { useRef, useState } from "preact/hooks";
import { may } from "../../api/session.ts";
import { Check, Choice } from "../../parts/field.tsx";
import { LeftOut } from "../../parts/live/left-out.tsx";
import { LineList } from "../../parts/live/line-list.tsx";
import { Payload } from "../../parts/live/payload.tsx";
import { StreamNote, useRedraw, useStream } from "../../parts/live/stream.tsx";
import { Empty, Fact, Facts, Section } from "../../parts/states.tsx";
import { bytes, clockWithMillis, counted } from "../../pure/format.ts";
import { Recent } from "../../pure/messages/recent.ts";
import { isFailure, shownBytes } from "../../pure/packets.ts";

const BOUNDS = { entries: 500, weight: 8_388_608 } as const;
/** Seconds after which it ends by itself: the longest that a trace may be. */
const LONGEST = 3_600;
const KINDS = { packets: "Packets", all: "All that happens" } as const;

interface Seen {
  readonly records: Recent<TraceRecord>;
  readonly missed: { tooFast: number; paused: number };
}

const nothing = (): Seen => ({ records: new Recent<TraceRecord>(BOUNDS), missed: { tooFast: 0, paused: 0 } });

export function Packets({ clientId }: { readonly clientId: string }) {
  const [isWatching, setWatching] = useState(false);
  const [payloads, setPayloads] = useState(false);
  const [kinds, setKinds] = useState<keyof typeof KINDS>("packets");
  const [{ records, missed }, setSeen] = useState(nothing);
  const [isPaused, setPaused] = useState(false);
  const paused = useRef(isPaused);
  paused.current = isPaused;
  const redraw = useRedraw();
  const input = isWatching ? { client: clientId, seconds: LONGEST, payloads } : undefined;
  const streamed = useStream("trace.run", input, (batch) => {
    for (const line of batch) {
      const record = line as unknown as TraceRecord;
      if (record.kind === "lost") missed.tooFast += record.records;
      else if (line.kind === "header" || record.kind === "end") continue;
      else if (paused.current) missed.paused++;
      else records.add(record, JSON.stringify(line).length);
    }
    redraw.soon();
  });
  const shown = records.entries.filter(({ item }) => kinds === "all" || item.kind === "packet");
  const old = records.total - records.entries.length;
  return (
    <Section title="Live packets" aside={isWatching && <StreamNote streamed={streamed} />}>
      <div class="form">
        <div class="toolbar">
          <button
            type="button"
            class={isWatching ? "" : "primary"}
            disabled={!may("operate")}
            title={may("operate") ? "" : "For those who have the role “operate”"}
            onClick={() => setWatching(!isWatching)}
          >
            {isWatching ? "Stop" : "Watch its packets"}
          </button>
          <button type="button" aria-pressed={isPaused} disabled={!isWatching} onClick={() => setPaused(!isPaused)}>
            {isPaused ? "Go on" : "Pause"}
          </button>
          <button type="button" disabled={records.total === 0} onClick={() => setSeen(nothing())}>
            Clear
          </button>
          <Choice label="What is shown" value={kinds} change={setKinds} options={KINDS} />
          <Check checked={payloads} change={setPayloads}>
            With payloads
          </Check>
        </div>
      </div>
      <LeftOut
        reasons={[
          missed.tooFast > 0 && `${counted(missed.tooFast, "line")}: more than this page takes.`,
          missed.paused > 0 && `${counted(missed.paused, "line")} while it was paused.`,
          old > 0 && `${counted(old, "older line")}.`,
        ]}
      />
      {shown.length === 0 ? (
        <Empty>{isWatching ? "Waiting for packets …" : "Passwords are never shown, payloads only if asked for."}</Empty>
      ) : (
        <LineList label="Packets" entries={shown} line={(record) => <Line record={record} />} all={All} />
      )}
    </Section>
  );
}

function Line({ record }: { readonly record: TraceRecord }) {
  const failed = isFailure(record) ? "failed-line" : "";
  const time = <time>{clockWithMillis(record.at)}</time>;
  if (record.kind !== "packet") {
    return (
      <>
        {time}
        <span class={`what ${failed}`}>{recordWords(record)}</span>
      </>
    );
  }
  const { direction, packet } = record;
  return (
    <>
      {time}
      <i class={`direction ${direction}`} title={direction === "in" ? "from the client" : "to the client"}>
        {direction === "in" ? "→" : "←"}
      </i>
      <b class={failed}>{packetName(packet.type)}</b>
      <code class={failed}>{packetWords(packet)}</code>
    </>
  );
}

function All(record: TraceRecord) {
  if (record.kind !== "packet") return <p class="note break">{recordWords(record)}</p>;
  const { packet, direction, connection } = record;
  const payload = packet.type === "publish" && "length" in packet.payload ? packet.payload : undefined;
  const content = payload === undefined ? undefined : shownBytes(payload);
  return (
    <>
      <Facts>
        <Fact name="Direction">{direction === "in" ? "from the client" : "to the client"}</Fact>
        <Fact name="Connection">{connection}</Fact>
        {packetFacts(packet).map(([name, value], index) => (
          <Fact key={`${name}${index}`} name={name}>
            {value}
          </Fact>
        ))}
        {payload !== undefined && content === undefined && (
          <Fact name="Payload">{bytes(payload.length)}, not shown: watch with payloads</Fact>
        )}
      </Facts>
      {content !== undefined && <Payload message={content} />}
    </>
  );
}
