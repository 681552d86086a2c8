// What to record, and for how long.
import { useState } from "preact/hooks";
import { startRecording } from "../../api/recording.ts";
import { may } from "../../api/session.ts";
import { ClientField } from "../../parts/client-field.tsx";
import { Check, Choice, Field, Select } from "../../parts/field.tsx";
import { Empty, Section } from "../../parts/states.tsx";

const WHAT = { client: "A client", topic: "Messages of a topic" } as const;
const TIMES = { "30": "30 seconds", "60": "a minute", "300": "5 minutes", "900": "15 minutes", "3600": "an hour" };

export function StartForm({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const [what, setWhat] = useState<keyof typeof WHAT>(query["topic"] === undefined ? "client" : "topic");
  const [client, setClient] = useState(query["client"] ?? "");
  const [topic, setTopic] = useState(query["topic"] ?? "");
  const [seconds, setSeconds] = useState("60");
  const [payloads, setPayloads] = useState(false);
  if (!may("operate")) {
    return (
      <Section title="Record">
        <Empty>
          Whoever may only read cannot record: it takes a token of the role <code>operate</code>.
        </Empty>
      </Section>
    );
  }
  const submit = (event: Event): void => {
    event.preventDefault();
    startRecording({ ...(what === "client" ? { client } : { topic }), seconds: Number(seconds), payloads });
  };
  return (
    <Section title="Record">
      <form class="form" onSubmit={submit}>
        <Choice label="What" options={WHAT} value={what} change={setWhat} />
        {what === "client" ? (
          <ClientField
            label="Client"
            value={client}
            change={setClient}
            required
            placeholder="meter-7"
            hint="It need not be connected yet: then its CONNECT is recorded, too."
          />
        ) : (
          <Field
            label="Topic filter"
            value={topic}
            change={setTopic}
            required
            placeholder="plant/+/temperature"
            hint="Each delivery is looked at: not for all topics of a busy broker."
          />
        )}
        <Select label="For" value={seconds} change={setSeconds} options={TIMES} />
        <Check checked={payloads} change={setPayloads}>
          with payloads (passwords never)
        </Check>
        <div class="buttons">
          <button type="submit" class="primary">
            Start
          </button>
        </div>
      </form>
    </Section>
  );
}
