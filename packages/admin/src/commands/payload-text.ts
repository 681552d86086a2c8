// Payloads in JSON: as text where they are UTF-8, otherwise in base64.

export interface PayloadText {
  readonly encoding: "utf8" | "base64";
  readonly payload: string;
  readonly truncated?: true;
}

/** @param most bytes of the payload that are shown; a character that is cut there is left out */
export function payloadText(payload: Uint8Array, most: number = Number.POSITIVE_INFINITY): PayloadText {
  const isCut = payload.length > most;
  const shown = isCut ? payload.subarray(0, most) : payload;
  const cut = isCut ? { truncated: true as const } : {};
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { encoding: "utf8", payload: decoder.decode(shown, { stream: isCut }), ...cut };
  } catch {
    return { encoding: "base64", payload: Buffer.from(shown).toString("base64"), ...cut };
  }
}
