export { adviceOnHash, type HashAdvice } from "./hash-advice.ts";
export { type HashKind, kindOfHash } from "./hash-kind.ts";
export { type HashOptions, type HashScheme, hashPassword } from "./hash-password.ts";
export {
  HashQueue,
  HashQueueFullError,
  type HashQueueLimits,
  type Lane,
  type Turn,
  type Waiting,
} from "./hash-queue.ts";
export { HashAbandonedError, sha512Crypt } from "./hash-threads.ts";
export { hashInTurn, type VerifyInTurn, verifyInTurn } from "./in-turn.ts";
export { VerifiedPairs } from "./verified-pairs.ts";
export { verifyPassword } from "./verify-password.ts";
