// Compares what was recorded of one connection with what a replay has answered. What may differ between two runs does not
// count: packet identifiers, texts for people, the sizes in CONNACK that depend on the configuration, topic aliases.
import type { Packet } from "@wrenmq/codec";
import type { TracedPacket } from "../trace/records.ts";
import { tracedPacket } from "../trace/traced-packet.ts";
import type { Recorded } from "./replay-connection.ts";

export interface Difference {
  /** Epoch milliseconds of the recorded packet; of the last one, if there was none. */
  readonly at: number;
  readonly client: string;
  readonly connection: number;
  /** undefined: it was not recorded, but the replay has sent it */
  readonly recorded: TracedPacket | undefined;
  /** undefined: it was recorded, but the replay has not sent it */
  readonly replayed: TracedPacket | undefined;
}

type Values = Record<string, unknown>;

/** Properties that do not count. */
const IGNORED: ReadonlySet<string> = new Set([
  "reasonString",
  "userProperties",
  "serverReference",
  "responseInformation",
  "assignedClientIdentifier",
  "sessionExpiryInterval",
  "authenticationData",
  "topicAlias",
]);

/**
 * The first difference among messages, and the first among all other packets: the two may overtake each other.
 * @param payloads were payloads recorded?
 */
export function differencesOf(
  { client, connection }: Pick<Difference, "client" | "connection">,
  expected: readonly Recorded[],
  found: readonly Packet[],
  payloads: boolean,
): Difference[] {
  const recorded = expected.map(({ packet }) => packet);
  const replayed = found.map((packet) => tracedPacket(packet, { payloads, most: MOST }));
  const one = canonical(recorded);
  const other = canonical(replayed);
  const differences: Difference[] = [];
  for (const isMessage of [false, true]) {
    const kept = (all: readonly Values[]): number[] =>
      all.flatMap((packet, index) => (isDelivery(packet) === isMessage ? [index] : []));
    const [left, right] = [kept(one), kept(other)];
    for (let place = 0; place < Math.max(left.length, right.length); place++) {
      const [a, b] = [left[place], right[place]];
      if (a !== undefined && b !== undefined && textOf(one[a]) === textOf(other[b])) continue;
      const last = expected.at(a ?? -1);
      differences.push({
        at: last?.at ?? 0,
        client,
        connection,
        recorded: a === undefined ? undefined : recorded[a],
        replayed: b === undefined ? undefined : replayed[b],
      });
      break;
    }
  }
  return differences;
}

/** As many bytes of a payload as a trace has. */
const MOST = 65_536;

function isDelivery({ type }: Values): boolean {
  return type === "publish" || type === "pubrel";
}

/** Without what does not count; packet identifiers of messages as their order, topics in the place of aliases. */
function canonical(packets: readonly TracedPacket[]): Values[] {
  const places = new Map<unknown, number>();
  const aliases = new Map<unknown, unknown>();
  let count = 0;
  return packets.map((packet) => {
    const { properties, ...fields } = packet as unknown as Values;
    const { type, packetId, dup } = fields;
    const known = isValues(properties) ? properties : {};
    if (type === "publish") {
      if (packetId !== undefined && !(dup === true && places.has(packetId))) places.set(packetId, count++);
      const alias = known["topicAlias"];
      if (alias !== undefined && fields["topic"] !== "") aliases.set(alias, fields["topic"]);
      else if (alias !== undefined) fields["topic"] = aliases.get(alias) ?? "";
    }
    if (isDelivery(fields) && packetId !== undefined) fields["packetId"] = places.get(packetId) ?? packetId;
    const rest = Object.fromEntries(Object.entries(known).filter(([key]) => !IGNORED.has(key)));
    return Object.keys(rest).length === 0 ? fields : { ...fields, properties: rest };
  });
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isValues(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
