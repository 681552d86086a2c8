// Everything about one client: session, queue, what it has lost, its connection; and what can be done about it.
import { useEffect, useRef, useState } from "preact/hooks";
import { may } from "../../api/session.ts";
import type { ClientDetails } from "../../api/types.ts";
import { useCommand } from "../../parts/hooks.ts";
import { Badge, Empty, Failed, Loading } from "../../parts/states.tsx";
import { bytesPerSecond, count, dateAndTime } from "../../pure/format.ts";
import { hrefOf, type PageProps } from "../../pure/route.ts";
import { BanDialog, EndDialog, KickDialog } from "./actions.tsx";
import { ConnectionFacts, SessionFacts } from "./facts.tsx";
import { Drops, Inflight, Subscriptions } from "./lists.tsx";
import { Packets } from "./packets.tsx";

const DIALOGS = { kick: KickDialog, ban: BanDialog, end: EndDialog } as const;

export function ClientPage({ route: { rest: clientId = "" } }: PageProps) {
  // Packets of a client that is not known are seen too: it may be one that is not let in.
  return (
    <>
      <Client clientId={clientId} />
      <Packets clientId={clientId} />
    </>
  );
}

function Client({ clientId }: { readonly clientId: string }) {
  const { data, error, refresh } = useCommand("clients.get", { clientId, sampleMs: 0 }, { every: 2_000 });
  const [dialog, setDialog] = useState<keyof typeof DIALOGS>();
  const Dialog = dialog === undefined ? undefined : DIALOGS[dialog];
  if (data === undefined) {
    return error === undefined ? (
      <Loading />
    ) : (
      <>
        <Failed error={error} retry={refresh} />
        <Empty>
          Its session may have ended. If it is not let in, watch its packets to see why.{" "}
          <a href="#/clients">All clients</a>
        </Empty>
      </>
    );
  }
  return (
    <>
      {error !== undefined && <Failed error={error} retry={refresh} />}
      <div class="toolbar">
        <State details={data} />
        <span class="grow" />
        <a class="button" href={hrefOf("trace", undefined, { client: clientId })}>
          Trace
        </a>
        <a class="button" href={hrefOf("explain", undefined, { ask: "client", clientId })}>
          Explain
        </a>
        <button type="button" disabled={!data.connected || !may("operate")} onClick={() => setDialog("kick")}>
          Kick
        </button>
        <button type="button" disabled={!may("operate")} onClick={() => setDialog("ban")}>
          Ban
        </button>
        <button type="button" class="danger" disabled={!may("admin")} onClick={() => setDialog("end")}>
          End session
        </button>
      </div>
      <div class="columns">
        <SessionFacts details={data} />
        <ConnectionFacts details={data} />
      </div>
      <Drops details={data} />
      <div class="columns">
        <Subscriptions details={data} />
        <Inflight details={data} />
      </div>
      {Dialog !== undefined && (
        <Dialog
          details={data}
          close={() => {
            setDialog(undefined);
            refresh();
          }}
        />
      )}
    </>
  );
}

function State({ details }: { readonly details: ClientDetails }) {
  const { connected, disconnectedAt, connection, congested } = details;
  const rates = useByteRates(details);
  const words = [
    connected && rates !== undefined ? `${bytesPerSecond(rates.received)} in, ${bytesPerSecond(rates.sent)} out` : "",
    !connected && disconnectedAt !== undefined ? `since ${dateAndTime(disconnectedAt)}` : "",
    details.queue.messages > 0 ? `${count(details.queue.messages)} waiting` : "",
  ];
  return (
    <>
      {connected ? <Badge tone="ok">connected</Badge> : <Badge tone="quiet">away</Badge>}
      {congested && <Badge tone="bad">queue full</Badge>}
      {connection?.blocked === true && <Badge tone="warn">takes nothing</Badge>}
      <span class="soft">{words.filter((word) => word !== "").join(", ")}</span>
    </>
  );
}

/** From one answer to the next. */
function useByteRates({ connection }: ClientDetails): { readonly received: number; readonly sent: number } | undefined {
  const before = useRef<{ readonly at: number; readonly received: number; readonly sent: number } | undefined>(
    undefined,
  );
  const [rates, setRates] = useState<{ readonly received: number; readonly sent: number }>();
  useEffect(() => {
    if (connection === undefined) {
      before.current = undefined;
      setRates(undefined);
      return;
    }
    const now = { at: performance.now(), received: connection.bytesReceived, sent: connection.bytesSent };
    const last = before.current;
    before.current = now;
    if (last === undefined) return;
    const seconds = (now.at - last.at) / 1_000;
    const rate = (one: number, other: number): number => Math.max(0, (one - other) / seconds);
    setRates({ received: rate(now.received, last.received), sent: rate(now.sent, last.sent) });
  }, [connection]);
  return rates;
}
