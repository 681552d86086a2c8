// The document of a shadow: its desired and reported state, and the result of an update. Pure: time and request in, a
// new document out.
import { isObject, type Json, type JsonObject, type Leaves, merge, mergeTimes, mistakeIn } from "./json.ts";

export interface ShadowState {
  readonly desired: JsonObject;
  readonly reported: JsonObject;
}
export interface ShadowMetadata {
  readonly desired: Leaves;
  readonly reported: Leaves;
}
export interface ShadowDocument {
  readonly state: ShadowState;
  readonly metadata: ShadowMetadata;
  /** Counts updates, from 1. */
  readonly version: number;
  /** Epoch seconds of the last update. */
  readonly timestamp: number;
}

/** A part that is null is removed. */
export interface ShadowUpdate {
  readonly desired?: JsonObject | null;
  readonly reported?: JsonObject | null;
}

export interface UpdateRequest {
  readonly state: ShadowUpdate;
  /** The version that the client assumes to be current; undefined: any. */
  readonly version: number | undefined;
  readonly clientToken: string | undefined;
}

/** What is wrong with a request, with a code of HTTP as in AWS IoT. */
export interface Rejection {
  readonly code: 400 | 404 | 409 | 413 | 500;
  readonly message: string;
}

export const EMPTY: ShadowDocument = {
  state: { desired: {}, reported: {} },
  metadata: { desired: {}, reported: {} },
  version: 0,
  timestamp: 0,
};

const DEEPEST = 8;

export function readUpdate(value: Json | undefined): UpdateRequest | Rejection {
  const bad = (message: string): Rejection => ({ code: 400, message });
  if (!isObject(value)) return bad("the payload is no JSON object");
  const { state, version, clientToken } = value as Partial<Record<string, Json>>;
  if (!isObject(state)) return bad("state is missing");
  const unknown = Object.keys(state).find((key) => key !== "desired" && key !== "reported");
  if (unknown !== undefined) return bad(`state.${unknown} is neither desired nor reported`);
  const parts: { desired?: JsonObject | null; reported?: JsonObject | null } = {};
  for (const side of ["desired", "reported"] as const) {
    const part = state[side];
    if (part === undefined) continue;
    if (part !== null && !isObject(part)) return bad(`state.${side} is no object`);
    const mistake = mistakeIn(part, DEEPEST);
    if (mistake !== undefined) return bad(`state.${side}: ${mistake}`);
    parts[side] = part;
  }
  if (parts.desired === undefined && parts.reported === undefined) return bad("state has neither desired nor reported");
  if (version !== undefined && typeof version !== "number") return bad("version is no number");
  if (clientToken !== undefined && typeof clientToken !== "string") return bad("clientToken is no text");
  return { state: parts, version, clientToken };
}

/** @param now epoch seconds */
export function applyUpdate(before: ShadowDocument, request: UpdateRequest, now: number): ShadowDocument | Rejection {
  if (request.version !== undefined && request.version !== before.version) {
    return { code: 409, message: `version conflict: the version is ${before.version}` };
  }
  const change = (side: "desired" | "reported"): [JsonObject, Leaves] => {
    const patch = request.state[side];
    if (patch === undefined) return [before.state[side], before.metadata[side]];
    if (patch === null) return [{}, {}];
    const state = merge(before.state[side], patch);
    return [state, mergeTimes(state, patch, before.metadata[side], now)];
  };
  const [desired, desiredTimes] = change("desired");
  const [reported, reportedTimes] = change("reported");
  return {
    state: { desired, reported },
    metadata: { desired: desiredTimes, reported: reportedTimes },
    version: before.version + 1,
    timestamp: now,
  };
}
