// Two questions: who would get a message of a topic, and may a client do something? The question is in the address, so
// that it can be sent to somebody.
import { useState } from "preact/hooks";
import { Choice } from "../../parts/field.tsx";
import type { PageProps } from "../../pure/route.ts";
import { AskClient } from "./ask-client.tsx";
import { AskTopic } from "./ask-topic.tsx";

const QUESTIONS = { topic: "Who gets a message?", client: "May a client do that?" } as const;

export function Explain({ route: { query } }: PageProps) {
  const [question, setQuestion] = useState<keyof typeof QUESTIONS>(query["ask"] === "client" ? "client" : "topic");
  return (
    <>
      <div class="toolbar">
        <Choice label="Question" options={QUESTIONS} value={question} change={setQuestion} />
      </div>
      {question === "topic" ? <AskTopic query={query} /> : <AskClient query={query} />}
    </>
  );
}
