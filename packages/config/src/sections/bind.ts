// Parses the address of a listener: `host:port` and its short forms.
import { isIPv4, isIPv6 } from "node:net";
import type { ListenerType } from "../wren-config.ts";

export interface Address {
  /** Absent: all addresses. */
  readonly host?: string;
  readonly port: number;
}

export const DEFAULT_PORTS: Readonly<Partial<Record<ListenerType, number>>> = {
  tcp: 1883,
  tls: 8883,
  ws: 8080,
  wss: 8443,
};

export const BIND_EXPECTED = "an address such as 127.0.0.1:1883, :1883, 1883, localhost or [::1]:1883";

/** Parses `""`, `1883`, `:1883`, `host`, `host:port`, `[::]:1883`, `::1`; undefined if it is none of these. */
export function parseBind(written: string, defaultPort: number): Address | undefined {
  const trimmed = written.trim();
  if (isIPv6(trimmed)) return { host: trimmed, port: defaultPort };
  const parts = /^(?:\[([^\]]*)\]|([^:[\]\s]*))(?::(\d{1,5}))?$/.exec(trimmed);
  if (!parts) return undefined;
  const [, bracketed, plain = "", digits] = parts;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  if (bracketed === undefined && digits === undefined && /^\d+$/.test(plain)) return address("", plain);
  if (/[^\w.\-*%]/.test(plain) || (/^[\d.]+$/.test(plain) && !isIPv4(plain))) return undefined;
  return address(bracketed ?? (plain === "*" ? "" : plain), digits ?? String(defaultPort));
}

function address(host: string, digits: string): Address | undefined {
  const port = Number(digits);
  return port > 65_535 ? undefined : { ...(host === "" ? {} : { host }), port };
}

export function formatBind({ host, port }: Address): string {
  if (host === undefined) return `:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
