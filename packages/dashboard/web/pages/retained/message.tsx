// One retained message with its payload.
import { useEffect, useRef } from "preact/hooks";
import { may } from "../../api/session.ts";
import { useCommand } from "../../parts/hooks.ts";
import { Payload } from "../../parts/live/payload.tsx";
import { Empty, Fact, Facts, Failed, Loading, Section } from "../../parts/states.tsx";
import { dateAndTime } from "../../pure/format.ts";
import { printable } from "../../pure/messages/payload.ts";
import { hrefOf } from "../../pure/route.ts";

/** Bytes of the payload that are asked for. */
const PAYLOAD = 262_144;

interface MessageProps {
  readonly topic: string;
  readonly close: () => void;
  readonly remove: () => void;
}

export function RetainedMessage({ topic, close, remove }: MessageProps) {
  const { data, error, refresh } = useCommand(
    "retained.get",
    { topic, payloadBytes: PAYLOAD },
    { when: may("operate") },
  );
  const host = useRef<HTMLDivElement>(null);
  // Where there is one column, it is not where the list was pressed.
  useEffect(() => host.current?.scrollIntoView({ block: "nearest" }), []);
  return (
    <div ref={host} class="beside first">
      <Section
        title={printable(topic)}
        aside={
          <button type="button" onClick={close}>
            Close
          </button>
        }
      >
        {!may("operate") && <Empty>Payloads are for those who have the role “operate”.</Empty>}
        {error !== undefined && <Failed error={error} retry={refresh} />}
        {may("operate") && data === undefined && error === undefined && <Loading />}
        {data !== undefined && (
          <>
            <Facts>
              <Fact name="QoS">{data.qos}</Fact>
              <Fact name="From">
                {data.publisher === "" ? (
                  "the server"
                ) : (
                  <a href={hrefOf("clients", data.publisher)}>{printable(data.publisher)}</a>
                )}
              </Fact>
              <Fact name="Expires">{data.expiresAt === undefined ? "never" : dateAndTime(data.expiresAt)}</Fact>
              {data.responseTopic !== undefined && (
                <Fact name="Response topic">
                  <code class="break">{data.responseTopic}</code>
                </Fact>
              )}
              {(data.userProperties ?? []).map(([name, value], index) => (
                <Fact key={`${name}${index}`} name={`Property ${name}`}>
                  {value}
                </Fact>
              ))}
            </Facts>
            <Payload message={data} />
          </>
        )}
        <div class="note buttons">
          <a class="button" href={hrefOf("topics", undefined, { filter: topic })}>
            Watch
          </a>
          <a class="button" href={hrefOf("console", undefined, { topic })}>
            Publish
          </a>
          <button type="button" class="danger" disabled={!may("admin")} onClick={remove}>
            Delete
          </button>
        </div>
      </Section>
    </div>
  );
}
