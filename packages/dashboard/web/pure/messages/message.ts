// A message as the broker shows it to those who watch.

export interface Message {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  /** It was there before: a retained message. */
  readonly retained?: true | undefined;
  /** Client identifier; empty: the server. */
  readonly publisher: string;
  /** Of the whole payload. */
  readonly bytes: number;
  readonly encoding: "utf8" | "base64";
  readonly payload: string;
  /** The payload is longer than what is here. */
  readonly truncated?: true | undefined;
  readonly contentType?: string | undefined;
  readonly userProperties?: readonly (readonly [string, string])[] | undefined;
}

/** Messages, and how many are left out in this place because there were more than the broker shows. */
export type WatchLine = Message | { readonly dropped: number };

/** Messages a second that the broker shows to one who watches; see `messages.watch`. */
export const MOST_A_SECOND = 5_000;

/** Characters of a message besides its strings. */
const BESIDES = 100;

/** How much memory a message takes, in characters. */
export function weightOf({ topic, payload, contentType = "", userProperties = [] }: Message): number {
  let weight = BESIDES + topic.length + payload.length + contentType.length;
  for (const [name, value] of userProperties) weight += name.length + value.length;
  return weight;
}
