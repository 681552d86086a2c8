// A message to publish, and who got it.
import { useState } from "preact/hooks";
import { read, write } from "../../api/commands.ts";
import { messageOf } from "../../api/problem.ts";
import type { Answer, Input } from "../../api/types.ts";
import { Check, Choice, Field, Select, TextArea } from "../../parts/field.tsx";
import { Badge, Failed, Section } from "../../parts/states.tsx";
import { clockWithMillis, counted } from "../../pure/format.ts";
import { type PayloadForm, payloadOf, userPropertiesOf } from "../../pure/messages/payload-input.ts";
import { outcomeWords } from "../../pure/reasons.ts";
import { hrefOf } from "../../pure/route.ts";

type QoS = NonNullable<Input<"publish">["qos"]>;

const FORMS = { text: "Text", json: "JSON", hex: "Bytes" } as const;
const LEVELS = { "0": "0: at most once", "1": "1: at least once", "2": "2: exactly once" } as const;
const PLACEHOLDERS: Readonly<Record<PayloadForm, string>> = { text: "21.5", json: '{"value": 21.5}', hex: "00 ff 1a" };

interface Sent {
  readonly at: number;
  readonly topic: string;
  readonly retain: boolean;
  readonly delivered: boolean;
  readonly recipients: Answer<"topics.explain">;
}

/** Sessions that are looked at to say who gets the message. */
const MOST = 1_000;

export function PublishForm({ topic: given }: { readonly topic: string }) {
  const [topic, setTopic] = useState(given);
  const [form, setForm] = useState<PayloadForm>("text");
  const [text, setText] = useState("");
  const [qos, setQos] = useState<keyof typeof LEVELS>("0");
  const [retain, setRetain] = useState(false);
  const [properties, setProperties] = useState(NO_PROPERTIES);
  const [state, setState] = useState<{ readonly error?: string; readonly sent?: Sent; readonly isSending: boolean }>({
    isSending: false,
  });
  const send = async (): Promise<Sent> => {
    const level = Number(qos) as QoS;
    const message = { topic, ...payloadOf(text, form), qos: level, retain, ...propertiesOf(properties) };
    const recipients = await read("topics.explain", { topic, qos: level, limit: MOST });
    const { delivered } = await write("publish", message);
    return { at: Date.now(), topic, retain, delivered, recipients };
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (state.isSending) return;
    setState((before) => ({ ...before, isSending: true }));
    try {
      setState({ sent: await send(), isSending: false });
    } catch (problem) {
      setState({ error: messageOf(problem), isSending: false });
    }
  };
  return (
    <Section title="Publish">
      <form class="form" onSubmit={(event) => void submit(event)}>
        <Field label="Topic" value={topic} change={setTopic} required placeholder="plant/1/temperature" />
        <Choice label="The payload is" value={form} change={setForm} options={FORMS} />
        <TextArea label="Payload" value={text} change={setText} placeholder={PLACEHOLDERS[form]} rows={5} />
        <div class="row">
          <Select label="QoS" value={qos} change={(one) => setQos(one as typeof qos)} options={LEVELS} />
          <Check checked={retain} change={setRetain}>
            Retain
          </Check>
        </div>
        <PropertyFields properties={properties} change={setProperties} />
        <div class="buttons">
          <button type="submit" class="primary" disabled={state.isSending}>
            Publish
          </button>
        </div>
      </form>
      {state.error !== undefined && <Failed error={state.error} />}
      {state.sent !== undefined && <Result sent={state.sent} />}
    </Section>
  );
}

const NO_PROPERTIES = { contentType: "", responseTopic: "", expiry: "", user: "" };
type Properties = typeof NO_PROPERTIES;

function propertiesOf({ contentType, responseTopic, expiry, user }: Properties): Partial<Input<"publish">> {
  const userProperties = userPropertiesOf(user);
  return {
    ...(contentType === "" ? {} : { contentType }),
    ...(responseTopic === "" ? {} : { responseTopic }),
    ...(expiry === "" ? {} : { messageExpiryInterval: Number(expiry) }),
    ...(userProperties.length === 0 ? {} : { userProperties }),
  };
}

interface PropertyFieldsProps {
  readonly properties: Properties;
  readonly change: (properties: Properties) => void;
}

function PropertyFields({ properties, change }: PropertyFieldsProps) {
  const set = (name: keyof Properties) => (value: string) => change({ ...properties, [name]: value });
  const given = Object.values(properties).filter((one) => one.trim() !== "").length;
  return (
    <details>
      <summary>MQTT 5 properties{given > 0 && `: ${given}`}</summary>
      <div class="form">
        <div class="row">
          <Field label="Content type" value={properties.contentType} change={set("contentType")} />
          <Field
            label="Expires after (seconds)"
            type="number"
            min={0}
            value={properties.expiry}
            change={set("expiry")}
          />
        </div>
        <Field label="Response topic" value={properties.responseTopic} change={set("responseTopic")} />
        <TextArea
          label="User properties"
          value={properties.user}
          change={set("user")}
          placeholder="name=value"
          hint="One in a line."
          rows={2}
        />
      </div>
    </details>
  );
}

function Result({ sent: { at, topic, retain, delivered, recipients } }: { readonly sent: Sent }) {
  const numbers = new Map<string, number>();
  for (const { outcome } of recipients.recipients) numbers.set(outcome, (numbers.get(outcome) ?? 0) + 1);
  return (
    <div class="note result" role="status">
      <p>
        <b>
          {clockWithMillis(at)} Published{retain && ", and retained for those who come"}.
        </b>{" "}
        {recipients.total === 0
          ? delivered
            ? "Nobody here has a subscription for it, but another broker has one."
            : "Nobody has a subscription for it."
          : `${counted(recipients.total, "session")} with a subscription for it:`}
      </p>
      {recipients.total > 0 && (
        <p class="badges">
          {[...numbers].map(([outcome, number]) => {
            const { tone, name, meaning } = outcomeWords(outcome);
            return (
              <span key={outcome} title={meaning}>
                <Badge tone={tone}>
                  {number} {name}
                </Badge>
              </span>
            );
          })}
          <a href={hrefOf("explain", undefined, { topic })}>Who?</a>
        </p>
      )}
    </div>
  );
}
