// W3C trace context in user properties: `traceparent` and `tracestate` are read and written as the recommendation says
// (https://www.w3.org/TR/trace-context/), whatever propagator the application has chosen for itself.
import type { SpanContext } from "@opentelemetry/api";
import type { UserProperties } from "@wrenmq/plugin-api";

export const TRACEPARENT = "traceparent";
const TRACESTATE = "tracestate";
/** Characters of `tracestate` that are passed on. */
const LONGEST_STATE = 512;
const SAMPLED = 1;

export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  /** The text of `tracestate`, as it came. */
  readonly state: string | undefined;
}

/** @returns undefined: there is none, or not one that counts */
export function readContext(properties: UserProperties | undefined): TraceContext | undefined {
  const parents = valuesOf(properties, TRACEPARENT);
  const [parent] = parents;
  // Two of them: nobody knows which one is meant.
  if (parent === undefined || parents.length > 1) return undefined;
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(parent);
  if (found === null) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = found;
  // Later versions may have more behind it; version ff is invalid, and 00 has nothing behind it.
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = valuesOf(properties, TRACESTATE).join(",");
  return {
    traceId,
    spanId,
    flags: Number.parseInt(flags, 16),
    state: state === "" || state.length > LONGEST_STATE ? undefined : state,
  };
}

export function isSampled({ flags }: TraceContext): boolean {
  return (flags & SAMPLED) !== 0;
}

/** The properties with the context of a span in the place of what was there. */
export function withContext(properties: UserProperties | undefined, context: SpanContext): UserProperties {
  const others = (properties ?? []).filter(([name]) => name !== TRACEPARENT && name !== TRACESTATE);
  const flags = (context.traceFlags & SAMPLED).toString(16).padStart(2, "0");
  const state = context.traceState?.serialize() ?? "";
  return [
    ...others,
    [TRACEPARENT, `00-${context.traceId}-${context.spanId}-${flags}`],
    ...(state === "" ? [] : [[TRACESTATE, state] as const]),
  ];
}

function valuesOf(properties: UserProperties | undefined, wanted: string): string[] {
  return (properties ?? []).flatMap(([name, value]) => (name === wanted ? [value] : []));
}
