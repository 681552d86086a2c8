// Verifies and makes hashes through the one queue of this process.
import { adviceOnHash } from "./hash-advice.ts";
import { kindOfHash } from "./hash-kind.ts";
import { type HashOptions, hashPassword } from "./hash-password.ts";
import { HashQueue, type Turn } from "./hash-queue.ts";
import { verifyPassword } from "./verify-password.ts";

export type VerifyInTurn = (hash: string, password: Uint8Array, turn: Turn) => Promise<boolean>;

const queue = new HashQueue();

/**
 * `verifyPassword` through the queue.
 * @throws HashQueueFullError; HashAbandonedError; RangeError when the cost of the hash is beyond all reason
 */
export async function verifyInTurn(hash: string, password: Uint8Array, turn: Turn): Promise<boolean> {
  const kind = kindOfHash(hash);
  // One round of SHA-512 takes less time than queueing.
  if (kind === undefined || kind === "mosquitto-sha512") return verifyPassword(hash, password);
  const advice = adviceOnHash(hash);
  if (advice?.kind === "too slow") throw new RangeError(`a stored hash asks for too much work: ${advice.made}`);
  const lane = kind === "sha512-crypt" ? "threads" : "libuv";
  return queue.run(lane, turn, () => verifyPassword(hash, password, turn.attempt.signal));
}

/**
 * `hashPassword` through the queue.
 * @throws HashQueueFullError, HashAbandonedError
 */
export async function hashInTurn(password: Uint8Array, options: HashOptions, turn: Turn): Promise<string> {
  return queue.run("libuv", turn, () => hashPassword(password, options));
}
