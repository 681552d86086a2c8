// A payload: JSON in lines, text as it is, bytes in hexadecimal.
import { bytes } from "../../pure/format.ts";
import { payloadView } from "../../pure/messages/payload.ts";
import { Badge } from "../states.tsx";

interface PayloadProps {
  readonly message: {
    readonly bytes: number;
    readonly encoding: "utf8" | "base64";
    readonly payload: string;
    readonly truncated?: true | undefined;
    readonly contentType?: string | undefined;
  };
}

export function Payload({ message }: PayloadProps) {
  const { kind, text, isCut } = payloadView(message);
  return (
    <div class="payload">
      <p>
        <Badge>{kind}</Badge> <span class="soft">{bytes(message.bytes)}</span>{" "}
        {message.contentType !== undefined && <code class="break">{message.contentType}</code>}
        {isCut && <span class="warn">only the beginning</span>}
      </p>
      {kind !== "empty" && <pre>{text}</pre>}
    </div>
  );
}
