// What a person writes as a payload, as the broker wants it.

export type PayloadForm = "text" | "json" | "hex";

export interface PayloadInput {
  readonly payload: string;
  readonly encoding: "utf8" | "base64";
}

/** A text that cannot be what its form says. */
export class PayloadError extends Error {
  override readonly name: string = "PayloadError";
}

/** @throws PayloadError */
export function payloadOf(text: string, form: PayloadForm): PayloadInput {
  if (form === "hex") return { payload: base64Of(text), encoding: "base64" };
  if (form === "json") {
    try {
      JSON.parse(text);
    } catch (error) {
      throw new PayloadError(`The payload is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { payload: text, encoding: "utf8" };
}

/** `0x01 02 ff`, with or without spaces */
function base64Of(text: string): string {
  const digits = text.replaceAll(/0x|[\s,:]/gi, "");
  const wrong = /[^0-9a-f]/i.exec(digits)?.[0];
  if (wrong !== undefined) throw new PayloadError(`The payload: “${wrong}” is no hexadecimal digit.`);
  if (digits.length % 2 !== 0) throw new PayloadError("The payload: two digits make a byte, and the last one has one.");
  const bytes = digits.match(/../g) ?? [];
  return btoa(bytes.map((pair) => String.fromCharCode(Number.parseInt(pair, 16))).join(""));
}

/** One property in a line, its name before the first `=`. @throws PayloadError */
export function userPropertiesOf(text: string): [string, string][] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const at = line.indexOf("=");
      if (at < 0) throw new PayloadError(`User properties: “${line}” is not name=value.`);
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
}
