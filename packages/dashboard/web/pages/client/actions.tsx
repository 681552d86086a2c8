// What can be done about a client, each asked for first.
import { useState } from "preact/hooks";
import { write } from "../../api/commands.ts";
import type { ClientDetails } from "../../api/types.ts";
import { ActionDialog } from "../../parts/dialog.tsx";
import { Field, Select } from "../../parts/field.tsx";
import { count, duration } from "../../pure/format.ts";

interface ActionProps {
  readonly details: ClientDetails;
  readonly close: () => void;
}

const given = (reason: string): { reason?: string } => (reason === "" ? {} : { reason });

interface KickProps {
  readonly details: Pick<ClientDetails, "clientId">;
  readonly close: () => void;
}

export function KickDialog({ details: { clientId }, close }: KickProps) {
  const [reason, setReason] = useState("");
  return (
    <ActionDialog
      title={`Kick ${clientId}`}
      confirm="Kick"
      close={close}
      run={async () => {
        await write("clients.kick", { clientId, ...given(reason) });
        return `The connection of ${clientId} is closed.`;
      }}
    >
      <p>Its connection is closed. It may connect again, and most clients do so at once.</p>
      <Field label="Reason" value={reason} change={setReason} hint="Optional; MQTT 5 clients get it." />
    </ActionDialog>
  );
}

const TIMES = { "600": "10 minutes", "3600": "an hour", "86400": "a day", "604800": "a week" };

export function BanDialog({ details: { clientId, username, address }, close }: ActionProps) {
  const [kind, setKind] = useState<"clientId" | "username" | "address">("clientId");
  const [seconds, setSeconds] = useState("3600");
  const [reason, setReason] = useState("");
  const values = { clientId, username, address };
  const value = values[kind] ?? clientId;
  const options: Record<string, string> = { clientId: `the client ${clientId}` };
  if (username !== undefined) options["username"] = `the user ${username}`;
  if (address !== undefined) options["address"] = `the address ${address}`;
  return (
    <ActionDialog
      title="Keep out for a time"
      confirm="Ban"
      danger
      close={close}
      run={async () => {
        const { disconnected } = await write("clients.ban", {
          kind,
          value,
          seconds: Number(seconds),
          ...given(reason),
        });
        return `${value} is kept out for ${duration(Number(seconds))}; ${count(disconnected)} disconnected.`;
      }}
    >
      <Select label="Whom" value={kind} change={(one) => setKind(one as typeof kind)} options={options} />
      <Select label="For" value={seconds} change={setSeconds} options={TIMES} />
      <Field label="Reason" value={reason} change={setReason} hint="Optional; MQTT 5 clients get it." />
    </ActionDialog>
  );
}

interface EndProps {
  readonly details: Pick<ClientDetails, "clientId" | "queued" | "subscriptions">;
  readonly close: () => void;
}

export function EndDialog({ details: { clientId, queued, subscriptions }, close }: EndProps) {
  return (
    <ActionDialog
      title={`End the session of ${clientId}`}
      confirm="End session"
      danger
      close={close}
      run={async () => {
        const { lost } = await write("sessions.end", { clientId });
        return `The session of ${clientId} has ended, and ${count(lost)} messages with it.`;
      }}
    >
      <p>
        Its connection is closed, and <b>{count(queued ?? 0)}</b> waiting messages and{" "}
        <b>{count(subscriptions ?? 0)}</b> subscriptions are lost. This cannot be undone.
      </p>
    </ActionDialog>
  );
}
