// IP addresses in the one form that rules, logs and limits compare: the system's.
import { isIPv4, isIPv6 } from "node:net";

/** IPv4 clients of a dual-stack listener look like `::ffff:192.0.2.1`; rules and logs want `192.0.2.1`. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** An address as somebody wrote it down, the way the system would have; undefined: it is none. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  // The zone names an interface of the machine that wrote it, not of this one.
  const [bare = text] = text.split("%", 1);
  // The URL parser knows where "::" goes. RFC 5952
  const address = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  return [high, low].flatMap((group) => bytesOf(Number.parseInt(group, 16))).join(".");
}

function bytesOf(group: number): [number, number] {
  return [group >> 8, group & 0xff];
}
