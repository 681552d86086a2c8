// May a client publish, subscribe or receive? What each plugin says.
import { useState } from "preact/hooks";
import type { Answer } from "../../api/types.ts";
import { ClientField } from "../../parts/client-field.tsx";
import { Field, Select } from "../../parts/field.tsx";
import { useCommand } from "../../parts/hooks.ts";
import { Failed, Loading, Section } from "../../parts/states.tsx";
import { hrefOf } from "../../pure/route.ts";
import { Opinions } from "./opinions.tsx";
import { remember } from "./remember.ts";

interface Question {
  readonly clientId: string;
  readonly topic: string;
  readonly action: keyof typeof ACTIONS;
}

const ACTIONS = {
  publish: "publish to the topic",
  subscribe: "subscribe to the filter",
  receive: "receive messages of the topic",
} as const;

export function AskClient({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const asked = query["action"] ?? "";
  const [clientId, setClientId] = useState(query["clientId"] ?? "");
  const [topic, setTopic] = useState(query["topic"] ?? "");
  const [action, setAction] = useState<keyof typeof ACTIONS>(
    Object.hasOwn(ACTIONS, asked) ? (asked as keyof typeof ACTIONS) : "subscribe",
  );
  const [question, setQuestion] = useState<Question | undefined>(
    clientId !== "" && topic !== "" ? { clientId, topic, action } : undefined,
  );
  const { data, error, loading, refresh } = useCommand("explain", question ?? { clientId: "", topic: "" }, {
    when: question !== undefined,
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    const next = { clientId, topic, action };
    remember({ ask: "client", ...next });
    setQuestion(next);
    refresh();
  };
  return (
    <>
      <Section title="Ask the plugins">
        <form class="form narrow" onSubmit={submit}>
          <div class="row">
            <ClientField label="Client" value={clientId} change={setClientId} required placeholder="meter-7" />
            <Select
              label="wants to"
              value={action}
              change={(one) => setAction(one as typeof action)}
              options={ACTIONS}
            />
          </div>
          <Field
            label={action === "subscribe" ? "Topic filter" : "Topic"}
            value={topic}
            change={setTopic}
            required
            placeholder={action === "subscribe" ? "plant/+/temperature" : "plant/1/temperature"}
          />
          <div class="buttons">
            <button type="submit" class="primary">
              Explain
            </button>
          </div>
        </form>
      </Section>
      {error !== undefined && <Failed error={error} retry={refresh} />}
      {question !== undefined && data === undefined && loading && <Loading what="Asking" />}
      {question !== undefined && data !== undefined && <Result question={question} answer={data} />}
    </>
  );
}

function Result({ question, answer }: { readonly question: Question; readonly answer: Answer<"explain"> }) {
  const { clientId, topic, action } = question;
  const { allowed, known, opinions } = answer;
  const what = { publish: "publish to", subscribe: "subscribe to", receive: "receive" }[action];
  return (
    <>
      <section class={`verdict ${allowed ? "ok" : "bad"}`} aria-label="Answer">
        <p>
          <b>{allowed ? "Yes." : "No."}</b>{" "}
          <span>
            {known ? <a href={hrefOf("clients", clientId)}>{clientId}</a> : clientId} {allowed ? "may" : "may not"}{" "}
            {what} <code class="break">{topic}</code>.
          </span>
        </p>
        {!known && (
          <p>
            There is no such client at present: the plugins were asked about its identifier alone, without user name and
            address.
          </p>
        )}
      </section>
      <Section title="What each plugin says">
        <Opinions opinions={opinions} />
      </Section>
    </>
  );
}
