// Gives the keys of session tickets to OpenSSL, one for new tickets and those of the tickets that still count. Where
// Node's internals for several keys are missing it gets one key at a time: then each change of the key costs every client
// one full handshake.
import { randomFillSync } from "node:crypto";
import type { NativeContext } from "../connections/tls-handle.ts";
import type { TicketKey, TicketKeys } from "./ticket-keys.ts";

const IV = 16;
const NO_KEY = { hmac: new Uint8Array(16), aes: new Uint8Array(16) };

/** @returns ends it */
export function useTicketKeys(contexts: readonly NativeContext[], keys: TicketKeys): () => void {
  if (contexts.every(knowsSeveralKeys)) {
    useSeveralKeys(contexts, keys);
    return () => {};
  }
  return atEachKey(keys, ({ all }) => {
    for (const context of contexts) context.setTicketKeys?.(all);
  });
}

function useSeveralKeys(contexts: readonly NativeContext[], keys: TicketKeys): void {
  const random = Buffer.alloc(256 * IV);
  let used = random.length;
  const nextIv = (): Uint8Array => {
    if (used === random.length) {
      randomFillSync(random);
      used = 0;
    }
    used += IV;
    return random.subarray(used - IV, used);
  };
  for (const context of contexts) {
    const answer = answerFor(context);
    context.onticketkeycallback = (name, _iv, encrypts) => {
      const now = Date.now();
      if (encrypts) return answer(1, keys.current(now), nextIv());
      const key = keys.byName(name, now);
      // 0: a full handshake follows.
      return key === undefined ? answer(0, NO_KEY) : answer(1, key);
    };
    context.enableTicketKeyCallback?.();
  }
}

/** Does `change` now and whenever there is another key; returns what ends that. */
export function atEachKey(keys: TicketKeys, change: (key: TicketKey) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const turn = (): void => {
    const now = Date.now();
    change(keys.current(now));
    timer = setTimeout(turn, Math.min(Math.max(keys.nextChange(now) - now, 1), LONGEST_TIMER)).unref();
  };
  turn();
  return () => clearTimeout(timer);
}

const LONGEST_TIMER = 2 ** 31 - 1;

type Answer = (code: number, key: Pick<TicketKey, "hmac" | "aes"> & Partial<TicketKey>, iv?: Uint8Array) => unknown[];

/** The places of an answer are the context's own. */
function answerFor({ constructor: places }: NativeContext): Answer {
  const { kTicketKeyReturnIndex: code = 0, kTicketKeyHMACIndex: hmac = 1, kTicketKeyAESIndex: aes = 2 } = places;
  const { kTicketKeyNameIndex: name = 3, kTicketKeyIVIndex: iv = 4 } = places;
  return (result, key, vector) => {
    const answer: unknown[] = [];
    answer[code] = result;
    answer[hmac] = key.hmac;
    answer[aes] = key.aes;
    answer[name] = key.name;
    answer[iv] = vector;
    return answer;
  };
}

function knowsSeveralKeys({ enableTicketKeyCallback, constructor: places }: NativeContext): boolean {
  const { kTicketKeyReturnIndex, kTicketKeyHMACIndex, kTicketKeyAESIndex, kTicketKeyNameIndex, kTicketKeyIVIndex } =
    places;
  const all = [kTicketKeyReturnIndex, kTicketKeyHMACIndex, kTicketKeyAESIndex, kTicketKeyNameIndex, kTicketKeyIVIndex];
  return typeof enableTicketKeyCallback === "function" && all.every((place) => typeof place === "number");
}
