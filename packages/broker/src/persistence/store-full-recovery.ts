// What of the facts that a full store has refused would make room in it. Taken out of their order and applied first, they
// let queues drain: else what waits for room would keep back what gives it.
import type { StoreOp } from "@wrenmq/store";

export interface SpaceFreeing {
  /** Facts that take no room and do not build on any of the others. */
  readonly relief: readonly StoreOp[];
  /** All others, in order. */
  readonly rest: StoreOp[];
}

/** @param replacing records that take the place of one that the store has: clients that come back for their queue */
export function splitSpaceFreeing(ops: readonly StoreOp[], replacing: { has(op: StoreOp): boolean }): SpaceFreeing {
  const relief: StoreOp[] = [];
  const rest: StoreOp[] = [];
  /** What the facts in `rest` are about: a later fact about the same stays behind them. */
  const kept = new Set<string>();
  /** Clients with anything in `rest`, and those whose session begins or ends in it. */
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
      return true;
    case "putSession":
      return replacing.has(op);
    case "enqueue":
    case "hold":
    case "putSubscription":
    case "putRetained":
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
    case "deleteRetained":
      return `topic ${op.topic}`;
    case "putSession":
      return `session ${op.record.clientId}`;
    case "deleteSession":
      return `session ${op.clientId}`;
  }
}
