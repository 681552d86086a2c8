// Who would get a message of a topic, and which rule refuses whom.
import { useState } from "preact/hooks";
import type { Answer, Input } from "../../api/types.ts";
import { ClientField } from "../../parts/client-field.tsx";
import { Field, Select } from "../../parts/field.tsx";
import { useCommand } from "../../parts/hooks.ts";
import { Badge, Empty, Failed, Incomplete, Loading, Section } from "../../parts/states.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { count } from "../../pure/format.ts";
import { outcomeWords } from "../../pure/reasons.ts";
import { hrefOf } from "../../pure/route.ts";
import { Opinions } from "./opinions.tsx";
import { remember } from "./remember.ts";

type Found = Answer<"topics.explain">;
type Recipient = Found["recipients"][number];
type QoS = NonNullable<Input<"topics.explain">["qos"]>;

const LEVELS = { "0": "0", "1": "1", "2": "2" } as const;
const MOST = 200;

export function AskTopic({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const [topic, setTopic] = useState(query["topic"] ?? "");
  const [publisher, setPublisher] = useState(query["publisher"] ?? "");
  const [level, setLevel] = useState(Object.hasOwn(LEVELS, query["qos"] ?? "") ? (query["qos"] ?? "1") : "1");
  const given = (): Input<"topics.explain"> => ({
    topic,
    qos: Number(level) as QoS,
    limit: MOST,
    ...(publisher === "" ? {} : { publisher }),
  });
  const [question, setQuestion] = useState(topic === "" ? undefined : given);
  const { data, error, loading, refresh } = useCommand("topics.explain", question ?? { topic: "" }, {
    when: question !== undefined,
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    remember({ topic, qos: level, publisher });
    setQuestion(given());
    refresh();
  };
  return (
    <>
      <Section title="A message that is not sent">
        <form class="form narrow" onSubmit={submit}>
          <Field label="Topic" value={topic} change={setTopic} required placeholder="plant/1/temperature" />
          <div class="row">
            <ClientField
              label="Publisher"
              value={publisher}
              change={setPublisher}
              hint="Optional: may it publish there?"
              placeholder="any client"
            />
            <Select label="QoS" value={level} change={setLevel} options={LEVELS} />
          </div>
          <div class="buttons">
            <button type="submit" class="primary">
              Explain
            </button>
          </div>
        </form>
      </Section>
      {error !== undefined && <Failed error={error} retry={refresh} />}
      {question !== undefined && data === undefined && loading && <Loading what="Asking" />}
      {question !== undefined && data !== undefined && <Result publisher={question.publisher} found={data} />}
    </>
  );
}

function Result({ publisher, found }: { readonly publisher: string | undefined; readonly found: Found }) {
  const { recipients, total, mayPublish, publishOpinions, incomplete } = found;
  return (
    <>
      <Incomplete members={incomplete} />
      <Answered publisher={publisher} found={found} />
      {publishOpinions !== undefined && mayPublish !== undefined && (
        <Section title={`May ${publisher} publish it?`}>
          <Opinions opinions={publishOpinions} />
        </Section>
      )}
      <Section title="Who has a subscription that matches">
        {recipients.length === 0 ? (
          <Empty>
            Nobody. <a href="#/clients">See what a client has subscribed to</a>
          </Empty>
        ) : (
          <Table
            caption="Recipients"
            columns={COLUMNS}
            rows={recipients}
            rowKey={({ clientId, group }) => `${group} ${clientId}`}
          />
        )}
        {total > recipients.length && (
          <p class="note soft">
            {count(recipients.length)} of {count(total)} are shown; all are on the command line:{" "}
            <code>wrenmq topics explain</code>
          </p>
        )}
      </Section>
    </>
  );
}

function Answered({ publisher, found }: { readonly publisher: string | undefined; readonly found: Found }) {
  const { topic, recipients, total, mayPublish, retained } = found;
  const arrives = recipients.filter(({ outcome }) => outcomeWords(outcome).arrives).length;
  const isAll = total === recipients.length;
  const refused = mayPublish === false;
  const tone = refused || arrives === 0 ? "bad" : arrives < recipients.length ? "warn" : "ok";
  return (
    <section class={`verdict ${tone}`} aria-label="Answer">
      <p>
        <b>
          {refused
            ? "Nobody gets it."
            : total === 0
              ? "Nobody subscribes to it."
              : `${count(arrives)} of ${count(isAll ? total : recipients.length)} would get it.`}
        </b>{" "}
        <span>
          {refused ? (
            <>
              {publisher} may not publish to <code class="break">{topic}</code>. This is what would happen otherwise:
            </>
          ) : (
            <>
              {mayPublish === true && `${publisher} may publish it. `}
              {retained ? "There is a retained message of this topic." : "There is no retained message of this topic."}
            </>
          )}
        </span>
      </p>
    </section>
  );
}

const COLUMNS: readonly Column<Recipient>[] = [
  {
    label: "Client",
    render: ({ clientId, username }) => (
      <span class="two-lines">
        <a href={hrefOf("clients", clientId)}>{clientId}</a>
        {username !== undefined && <small class="soft">{username}</small>}
      </span>
    ),
  },
  { label: "Message", render: ({ outcome }) => <Outcome outcome={outcome} /> },
  { label: "Why", render: (recipient) => <Why recipient={recipient} /> },
  { label: "QoS", number: true, wide: true, render: ({ qos }) => qos },
  {
    label: "Subscriptions",
    wide: true,
    render: ({ filters, group }) => (
      <span class="two-lines">
        {(group === undefined ? filters : [group]).map((filter) => (
          <code key={filter} class="break">
            {filter}
          </code>
        ))}
      </span>
    ),
  },
];

function Outcome({ outcome }: { readonly outcome: string }) {
  const { tone, name } = outcomeWords(outcome);
  return <Badge tone={tone}>{name}</Badge>;
}

function Why({ recipient: { outcome, plugin, rule } }: { readonly recipient: Recipient }) {
  if (plugin === undefined) return <>{outcomeWords(outcome).meaning}</>;
  return (
    <span class="two-lines">
      <span>
        <b>{plugin}</b> refuses it
      </span>
      {rule !== undefined && <code class="break">{rule}</code>}
    </span>
  );
}
