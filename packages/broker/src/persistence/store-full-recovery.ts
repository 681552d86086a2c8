// Finds the facts that free space among those that a full store has refused. Applied first, out of order, they let
// queues drain: otherwise what needs space would hold back what frees it.
import { originKey, type StoreOp } from "@wrenmq/store";

export interface SpaceFreeing {
  /** Facts that need no space and do not depend on any of the others. */
  readonly relief: readonly StoreOp[];
  /** All others, in order. */
  readonly rest: StoreOp[];
}

/** @param replacing records that replace one in the store: clients that reconnect for their queue */
export function splitSpaceFreeing(ops: readonly StoreOp[], replacing: { has(op: StoreOp): boolean }): SpaceFreeing {
  const relief: StoreOp[] = [];
  const rest: StoreOp[] = [];
  /** The subjects of facts in `rest`: later facts about the same stay behind them. */
  const kept = new Set<string>();
  /** Clients with a fact in `rest`, and those whose session begins or ends in it. */
  const clients = new Set<string>();
  const sessions = new Set<string>();
  for (const op of ops) {
    const client = clientOf(op);
    const subject = subjectOf(op);
    if (makesRoom(op, replacing) && !isBehind(op, client, subject)) {
      relief.push(op);
      continue;
    }
    rest.push(op);
    kept.add(subject);
    if (client === undefined) continue;
    clients.add(client);
    if (op.op === "putSession" || op.op === "deleteSession") sessions.add(client);
  }
  return { relief, rest };

  function isBehind(op: StoreOp, client: string | undefined, subject: string): boolean {
    if (kept.has(subject)) return true;
    if (client === undefined) return false;
    return op.op === "deleteSession" ? clients.has(client) : sessions.has(client);
  }
}

/** undefined: the fact is about no session. */
function clientOf(op: StoreOp): string | undefined {
  if (op.op === "putSession") return op.record.clientId;
  return "clientId" in op ? op.clientId : undefined;
}

function makesRoom(op: StoreOp, replacing: { has(op: StoreOp): boolean }): boolean {
  switch (op.op) {
    case "settle":
    case "advance":
    case "release":
    case "deleteSubscription":
    case "deleteSession":
    case "deleteRetained":
    case "settleOutbox":
    case "deleteOrigin":
      return true;
    case "putSession":
      return replacing.has(op);
    case "enqueue":
    case "hold":
    case "putSubscription":
    case "putRetained":
    case "clearRetained":
    case "putOutbox":
    case "putOrigin":
    case "putIdentity":
      return false;
  }
}

function subjectOf(op: StoreOp): string {
  switch (op.op) {
    case "enqueue":
      return `entry ${op.entry.seq} ${op.clientId}`;
    case "settle":
    case "advance":
      return `entry ${op.seq} ${op.clientId}`;
    case "hold":
    case "release":
      return `id ${op.packetId} ${op.clientId}`;
    case "putSubscription":
    case "deleteSubscription":
      return `filter ${op.clientId.length} ${op.clientId} ${op.filter}`;
    case "putRetained":
      return `topic ${op.message.topic}`;
    case "clearRetained":
    case "deleteRetained":
      return `topic ${op.topic}`;
    case "putSession":
      return `session ${op.record.clientId}`;
    case "deleteSession":
      return `session ${op.clientId}`;
    case "putOutbox":
      return `outbox ${op.entry.number}`;
    case "settleOutbox":
      return `outbox ${op.number}`;
    case "putOrigin":
      return `origin ${originKey(op.origin)}`;
    case "deleteOrigin":
      return `origin ${originKey(op)}`;
    case "putIdentity":
      return "identity";
  }
}
