// The messages of a topic filter, as they come.
import { useRef, useState } from "preact/hooks";
import { Check, Field } from "../../parts/field.tsx";
import { LeftOut } from "../../parts/live/left-out.tsx";
import { LineList } from "../../parts/live/line-list.tsx";
import { MessageFacts } from "../../parts/live/message-facts.tsx";
import { Payload } from "../../parts/live/payload.tsx";
import { StreamNote, useRedraw, useStream } from "../../parts/live/stream.tsx";
import { Badge, Empty, Fact, Facts, Section } from "../../parts/states.tsx";
import { clockWithMillis, counted } from "../../pure/format.ts";
import { type Message, MOST_A_SECOND, weightOf } from "../../pure/messages/message.ts";
import { preview, printable } from "../../pure/messages/payload.ts";
import { Recent } from "../../pure/messages/recent.ts";

const BOUNDS = { entries: 300, weight: 8_388_608 } as const;
/** Bytes of each payload. */
const PAYLOAD = 65_536;

interface Shown {
  readonly messages: Recent<Message>;
  readonly missed: { tooFast: number; paused: number };
}

const nothing = (): Shown => ({ messages: new Recent<Message>(BOUNDS), missed: { tooFast: 0, paused: 0 } });

export function Subscription({ filter: asked }: { readonly filter: string | undefined }) {
  const [filter, setFilter] = useState(asked ?? "#");
  const [retained, setRetained] = useState(true);
  const [input, setInput] = useState(asked === undefined ? undefined : inputOf(asked, true));
  const [{ messages, missed }, setShown] = useState(nothing);
  const [isPaused, setPaused] = useState(false);
  const paused = useRef(isPaused);
  paused.current = isPaused;
  const redraw = useRedraw();
  const streamed = useStream("messages.watch", input, (batch) => {
    for (const line of batch) {
      if ("dropped" in line) missed.tooFast += line.dropped;
      else if (paused.current) missed.paused++;
      else messages.add(line, weightOf(line));
    }
    redraw.soon();
  });
  const { total, entries } = messages;
  return (
    <Section title="Subscribe" aside={<StreamNote streamed={streamed} />}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          setShown(nothing());
          setPaused(false);
          setInput(inputOf(filter, retained));
          streamed.restart();
        }}
      >
        <Field label="Topic filter" value={filter} change={setFilter} required />
        <Check checked={retained} change={setRetained}>
          Retained messages first
        </Check>
        <div class="buttons">
          <button type="button" disabled={total === 0} onClick={() => setShown(nothing())}>
            Clear
          </button>
          <button type="button" aria-pressed={isPaused} disabled={!input} onClick={() => setPaused(!isPaused)}>
            {isPaused ? "Go on" : "Pause"}
          </button>
          <button type="button" disabled={!input} onClick={() => setInput(undefined)}>
            Stop
          </button>
          <button type="submit" class="primary">
            Subscribe
          </button>
        </div>
      </form>
      <LeftOut
        reasons={[
          missed.tooFast > 0 && `${counted(missed.tooFast, "message")}: more than ${MOST_A_SECOND} a second.`,
          missed.paused > 0 && `${counted(missed.paused, "message")} while it was paused.`,
          total > entries.length && `${counted(total - entries.length, "older message")}.`,
        ]}
      />
      {total === 0 ? (
        <Empty>{input === undefined ? "Nothing is subscribed to." : "Waiting for messages …"}</Empty>
      ) : (
        <LineList label="Messages" entries={entries} line={(one) => <Line message={one} />} all={All} />
      )}
    </Section>
  );
}

const inputOf = (filter: string, retained: boolean) => ({ filter, retained, payloadBytes: PAYLOAD });

function Line({ message }: { readonly message: Message }) {
  const { at, topic, qos, retain, retained } = message;
  return (
    <>
      <time>{clockWithMillis(at)}</time>
      <b>{printable(topic)}</b>
      <code>{preview(message, 200)}</code>
      {(retain || retained === true) && <Badge tone="ok">retained</Badge>}
      {qos > 0 && <Badge>QoS {qos}</Badge>}
    </>
  );
}

function All(message: Message) {
  return (
    <>
      <Facts>
        <Fact name="Topic">
          <code class="break">{message.topic}</code>
        </Fact>
        <MessageFacts message={message} />
      </Facts>
      <Payload message={message} />
    </>
  );
}
