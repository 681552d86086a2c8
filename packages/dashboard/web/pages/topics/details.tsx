// A topic: its last messages, what is different between two of them, its numbers over time.
import { useMemo, useState } from "preact/hooks";
import { MessageFacts } from "../../parts/live/message-facts.tsx";
import { Payload } from "../../parts/live/payload.tsx";
import { Badge, Empty, Fact, Facts, Section } from "../../parts/states.tsx";
import { clockWithMillis, counted, count as countText } from "../../pure/format.ts";
import { diffOf } from "../../pure/json/diff.ts";
import type { Message } from "../../pure/messages/message.ts";
import { jsonIn, preview, printable } from "../../pure/messages/payload.ts";
import type { TopicNode } from "../../pure/messages/topic-node.ts";
import { hrefOf } from "../../pure/route.ts";
import { ValuePlot } from "./value-plot.tsx";

interface DetailsProps {
  readonly node: TopicNode;
  /** Of the node: what is shown is made anew when it changes. */
  readonly count: number;
}

export function TopicDetails({ node, count }: DetailsProps) {
  const [chosen, setChosen] = useState<Message>();
  const history = useMemo(() => [...node.history], [node, count]);
  const message = chosen ?? node.last;
  const before = message === undefined ? undefined : history[history.indexOf(message) - 1];
  return (
    <div class="pile">
      <Section
        title={printable(node.path)}
        aside={
          <>
            {node.isRetained && (
              <a href={hrefOf("retained", undefined, { filter: node.path })}>
                <Badge tone="ok">retained</Badge>
              </a>
            )}
            {node.count > 0 && (
              <a class="button" href={hrefOf("console", undefined, { topic: node.path })}>
                Publish
              </a>
            )}
            <a class="button" href={hrefOf("topics", undefined, { filter: filterOf(node) })}>
              Watch only this
            </a>
          </>
        }
      >
        <Facts>
          <Fact name="Messages">{countText(node.count)}</Fact>
          {node.children.length > 0 && (
            <Fact name="Below">
              {counted(node.topics - Math.sign(node.count), "topic")}, {counted(node.messages - node.count, "message")}
            </Fact>
          )}
          {message !== undefined && <MessageFacts message={message} />}
        </Facts>
        {message === undefined ? (
          <Empty>No message came of this topic itself.</Empty>
        ) : (
          <>
            {chosen !== undefined && (
              <p class="note">
                <Badge tone="warn">an earlier message</Badge>{" "}
                <button type="button" onClick={() => setChosen(undefined)}>
                  Show the last one
                </button>
              </p>
            )}
            <Payload message={message} />
          </>
        )}
      </Section>
      {message !== undefined && before !== undefined && <Difference before={before} after={message} />}
      <ValuePlot history={history} />
      {history.length > 0 && <History history={history} shown={message} choose={setChosen} />}
    </div>
  );
}

const filterOf = ({ path, count, children }: TopicNode): string =>
  count > 0 || children.length === 0 ? path : `${path}/#`;

function Difference({ before, after }: { readonly before: Message; readonly after: Message }) {
  const diff = useMemo(() => {
    const [old, now] = [jsonIn(before), jsonIn(after)];
    return old === undefined || now === undefined ? undefined : diffOf(old, now);
  }, [before, after]);
  if (diff === undefined || (diff.changes[0]?.path === "" && typeof jsonIn(after) !== "object")) return null;
  return (
    <Section title="Different from the message before">
      {diff.changes.length === 0 ? (
        <Empty>Nothing.</Empty>
      ) : (
        <ul class="diff">
          {diff.changes.map(({ kind, path, before: old, after: now }) => (
            <li key={kind + path} class={kind}>
              <code class="break">{path === "" ? "all of it" : path}</code>
              {old !== undefined && <del>{shown(old)}</del>}
              {now !== undefined && <ins>{shown(now)}</ins>}
            </li>
          ))}
        </ul>
      )}
      {diff.more && <p class="note soft">and more</p>}
    </Section>
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

interface HistoryProps {
  readonly history: readonly Message[];
  readonly shown: Message | undefined;
  readonly choose: (message: Message) => void;
}

function History({ history, shown: current, choose }: HistoryProps) {
  return (
    <Section title="Last messages" aside={<span class="soft">{countText(history.length)}</span>}>
      <ol class="messages short" reversed>
        {history.toReversed().map((message, index) => (
          <li key={history.length - index}>
            <button type="button" aria-pressed={message === current} onClick={() => choose(message)}>
              <time>{clockWithMillis(message.at)}</time>
              <code>{preview(message)}</code>
            </button>
          </li>
        ))}
      </ol>
    </Section>
  );
}
