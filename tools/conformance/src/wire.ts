// Packets that no encoder would write, and the reactions that the standard demands.
import { encodeUtf8, type Packet } from "@wrenmq/codec";
import { concat, difference, hex, type RawClient, show } from "@wrenmq/testkit";
import type { World } from "./world.ts";

/** Ill-formed text: a surrogate, an overlong form, a sequence cut short, U+0000. */
export const ILL_FORMED: readonly string[] = ["61 ed a0 80", "61 c0 80", "61 c3", "f5 80 80 80", "ff"];

/** One packet: the first byte, then the Remaining Length of the body, then the body. Hex or bytes. */
export function frame(header: number, ...body: readonly (string | Uint8Array)[]): Uint8Array {
  const bytes = concat(...body.map((part) => (typeof part === "string" ? hex(part) : part)));
  return concat(Uint8Array.of(header), variable(bytes.length), bytes);
}

export function variable(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

/** A string with its length, from a text or from hex digits of its bytes. */
export function field(content: string | { readonly hex: string }): Uint8Array {
  const bytes = typeof content === "string" ? encodeUtf8(content) : hex(content.hex);
  return concat(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
}

/** A property section, from hex or bytes. */
export function section(...properties: readonly (string | Uint8Array)[]): Uint8Array {
  const bytes = concat(...properties.map((part) => (typeof part === "string" ? hex(part) : part)));
  return concat(variable(bytes.length), bytes);
}

/** An empty property section of MQTT 5.0; nothing for 3.1.1. */
export function noProperties(world: World): Uint8Array {
  return world.version === 5 ? Uint8Array.of(0) : new Uint8Array(0);
}

export interface RawConnect {
  readonly name?: string;
  readonly level?: number;
  readonly flags?: number;
  readonly keepAlive?: number;
  readonly properties?: Uint8Array;
  readonly payload?: readonly Uint8Array[];
}

/** A CONNECT with anything wrong. */
export function rawConnect(world: World, wrong: RawConnect = {}): Uint8Array {
  const keepAlive = wrong.keepAlive ?? 0;
  return frame(
    0x10,
    field(wrong.name ?? "MQTT"),
    Uint8Array.of(wrong.level ?? world.version, wrong.flags ?? 0x02, keepAlive >> 8, keepAlive & 0xff),
    wrong.properties ?? noProperties(world),
    ...(wrong.payload ?? [field(world.id("x"))]),
  );
}

/** The server closes the connection: in MQTT 5.0 with this reason code, before that without a packet. */
export async function ends(world: World, client: RawClient, reasonCode?: number): Promise<void> {
  const words = await client.lastWords();
  if (client.version === 4) {
    if (words.length > 0) throw new Error(`the end was expected, ${show(words)} came first`);
    return;
  }
  checkLast(world, words, "disconnect", reasonCode);
}

/** A CONNECT is refused: in MQTT 5.0 with this reason code, before that without a CONNACK. */
export async function refused(world: World, client: RawClient, reasonCode?: number): Promise<void> {
  const words = await client.lastWords();
  if (client.version === 4) {
    if (words.length > 0) throw new Error(`the end was expected, ${show(words)} came first`);
    return;
  }
  checkLast(world, words, "connack", reasonCode);
}

function checkLast(world: World, words: readonly Packet[], type: "connack" | "disconnect", reasonCode?: number): void {
  // The standard allows a server to close without a packet; ours sends one.
  if (words.length === 0 && world.own === undefined) return;
  const [last] = words;
  if (words.length !== 1 || last === undefined || last.type !== type) {
    throw new Error(`one ${type.toUpperCase()} and the end were expected, not ${show(words)}`);
  }
  if (last.reasonCode < 0x80) throw new Error(`${type.toUpperCase()} says success`);
  if (type === "connack" && (last as { sessionPresent?: boolean }).sessionPresent !== false) {
    throw new Error("Session Present is not 0");
  }
  if (reasonCode !== undefined && world.own !== undefined && last.reasonCode !== reasonCode) {
    throw new Error(`reason code 0x${last.reasonCode.toString(16)} instead of 0x${reasonCode.toString(16)}`);
  }
}

/**
 * A connected client sends each of these, each on a new connection, and is disconnected; other clients are not
 * affected.
 */
export async function eachEnds(
  world: World,
  wrongs: readonly (string | Uint8Array | Packet)[],
  reasonCode?: number,
): Promise<void> {
  const bystander = await world.connect();
  for (const wrong of wrongs) {
    const client = await world.connect();
    client.send(wrong);
    try {
      await ends(world, client, reasonCode);
    } catch (error) {
      throw new Error(`after ${show(client.encode(wrong))}`, { cause: error });
    }
  }
  await bystander.expectAlive();
}

/** Each of these as the first packet of a connection is refused. */
export async function eachRefused(world: World, wrongs: readonly Uint8Array[], reasonCode?: number): Promise<void> {
  for (const wrong of wrongs) {
    const client = await world.open();
    client.send(wrong);
    try {
      await refused(world, client, reasonCode);
    } catch (error) {
      throw new Error(`after ${Array.from(wrong, (byte) => byte.toString(16)).join(" ")}`, { cause: error });
    }
  }
}

export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

export function equal<T>(actual: T, expected: T, what: string): void {
  if ((difference(actual, expected) ?? difference(expected, actual)) === undefined) return;
  throw new Error(`${what}: ${show(actual)} instead of ${show(expected)}`);
}
