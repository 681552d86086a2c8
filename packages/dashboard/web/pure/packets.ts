// Lines of a trace on the page of a client.
import type { TracedBytes, TraceRecord } from "@wrenmq/admin/trace";

/** Did something not go as the client wanted? */
export function isFailure(record: TraceRecord): boolean {
  switch (record.kind) {
    case "packet": {
      const { packet } = record;
      if ("reasonCodes" in packet) return packet.reasonCodes.some(isError);
      return "reasonCode" in packet && isError(packet.reasonCode);
    }
    case "authorize":
    case "disconnected":
      return isError(record.reasonCode);
    case "refused":
    case "dropped":
    case "lost":
      return true;
    default:
      return false;
  }
}

const isError = (reasonCode: number | undefined): boolean => reasonCode !== undefined && reasonCode >= 0x80;

export interface ShownBytes {
  readonly bytes: number;
  readonly encoding: "utf8" | "base64";
  readonly payload: string;
  readonly truncated?: true | undefined;
}

/** undefined: the trace has the number of bytes only */
export function shownBytes({ length, utf8, base64, truncated }: TracedBytes): ShownBytes | undefined {
  const common = { bytes: length, truncated };
  if (utf8 !== undefined) return { ...common, encoding: "utf8", payload: utf8 };
  if (base64 !== undefined) return { ...common, encoding: "base64", payload: base64 };
  return length === 0 ? { ...common, encoding: "utf8", payload: "" } : undefined;
}
