// Parses the URL of a broker: scheme, address and credentials, which are removed from the URL.
import { UsageError } from "../errors.ts";

const PORTS: Readonly<Record<string, string>> = { "mqtt:": "1883", "mqtts:": "8883", "ws:": "80", "wss:": "443" };

export interface BrokerUrl {
  /** With its port, without credentials. */
  readonly url: URL;
  readonly username?: string;
  readonly password?: string;
}

/**
 * Parses `mqtt://user:password@host:port`. The user name ends at the first `:`, so a password may have more of them,
 * plain or as `%3A`.
 * @throws UsageError, whose message has no password
 */
export function parseBrokerUrl(text: string): BrokerUrl {
  const [, scheme = "", authority = "", rest = ""] = /^([^:/]+:\/\/)([^/?#]*)(.*)$/s.exec(text.trim()) ?? [];
  const at = authority.lastIndexOf("@");
  const place = `${scheme}${authority.slice(at + 1)}${rest}`;
  const url = URL.canParse(place) ? new URL(place) : undefined;
  const port = url === undefined ? undefined : PORTS[url.protocol];
  if (url === undefined || port === undefined || url.hostname === "") throw notABroker(text, authority);
  if (url.port === "") url.port = port;
  return { url, ...credentialsIn(authority.slice(0, Math.max(0, at))) };
}

function credentialsIn(text: string): { readonly username?: string; readonly password?: string } {
  const colon = text.indexOf(":");
  const username = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decoded(text.slice(colon + 1));
  return { ...(username === "" ? {} : { username }), ...(password === "" ? {} : { password }) };
}

/** A percent sign that encodes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function notABroker(text: string, authority: string): UsageError {
  const shown = text.replace(/^([^:/]*:\/\/)?.*@/s, "$1***@");
  const isCut = authority !== "" && shown !== text && !authority.includes("@");
  const hint = isCut ? "; in a password /, ? and # are written %2F, %3F and %23" : "";
  return new UsageError(
    `not the URL of a broker: ${shown} (expected mqtt, mqtts, ws or wss://[user:password@]host[:port]${hint})`,
  );
}
