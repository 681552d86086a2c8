// An input for a client identifier that proposes those that exist.
import { Field } from "./field.tsx";
import { useCommand, useSettled } from "./hooks.ts";

interface ClientFieldProps {
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly required?: boolean;
}

const PROPOSALS = 10;

export function ClientField(props: ClientFieldProps) {
  const prefix = useSettled(props.value.trim());
  const { data } = useCommand("sessions.list", {
    ...(prefix === "" ? {} : { prefix }),
    limit: PROPOSALS,
  });
  return <Field {...props} list={data?.items.map(({ clientId }) => clientId) ?? []} />;
}
