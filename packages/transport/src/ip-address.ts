// IP addresses in one canonical form, that of the system, for comparison in rules, logs and limits.
import { isIPv4, isIPv6 } from "node:net";

/** `192.0.2.1` for `::ffff:192.0.2.1`: that is how a dual-stack listener reports an IPv4 client. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/**
 * The canonical form of a written address.
 * @returns undefined: the text is not an address
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  // A zone index names an interface of the machine on which it was written.
  const [bare = text] = text.split("%", 1);
  // The URL parser compresses IPv6 addresses. [RFC 5952]
  const address = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  return [high, low].flatMap((group) => bytesOf(Number.parseInt(group, 16))).join(".");
}

function bytesOf(group: number): [number, number] {
  return [group >> 8, group & 0xff];
}
