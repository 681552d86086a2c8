// The spans of one message: `publish`, below it `route`, below that one `deliver` for each client that it goes to.
//
//   publish   server   from when it has passed the access rules; its parent is the span of the publisher
//   └ route   internal until it has been given to every session; queued and dropped are events of it
//     └ deliver  producer  the PUBLISH to one client; not its acknowledgement
import type { Context, Span, SpanKind, Tracer } from "@opentelemetry/api";
import type { ClientInfo, MessageTrace, PluginMessage, ReasonCode, UserProperties } from "@wrenmq/plugin-api";
import { readContext, type TraceContext, withContext } from "./trace-context.ts";

export type OpenTelemetryApi = typeof import("@opentelemetry/api");

/** Events of one span: what is more is only counted. */
const MOST_EVENTS = 50;

export interface SpanParts {
  readonly api: OpenTelemetryApi;
  readonly tracer: Tracer;
  readonly inject: boolean;
  readonly maxDeliveries: number;
}

export function beginSpans(parts: SpanParts, client: ClientInfo, message: PluginMessage): MessageTrace {
  return new MessageSpans(parts, client, message);
}

class MessageSpans implements MessageTrace {
  readonly userProperties: UserProperties | undefined;
  readonly #parts: SpanParts;
  readonly #topic: string;
  readonly #publish: Span;
  readonly #route: Span;
  readonly #routeContext: Context;
  #deliveries = 0;
  #queued = 0;
  #dropped = 0;

  constructor(parts: SpanParts, client: ClientInfo, message: PluginMessage) {
    this.#parts = parts;
    this.#topic = message.topic;
    const { api } = parts;
    const given = message.properties?.userProperties;
    const parent = readContext(given);
    const root = api.ROOT_CONTEXT;
    const outer = parent === undefined ? root : api.trace.setSpanContext(root, spanContextOf(api, parent));
    this.#publish = this.#start("publish", api.SpanKind.SERVER, outer, {
      "messaging.client.id": client.clientId,
      "messaging.message.body.size": message.payload.length,
      "mqtt.qos": message.qos,
      "mqtt.retain": message.retain,
      "wrenmq.listener": client.listener,
    });
    this.#route = this.#start("route", api.SpanKind.INTERNAL, api.trace.setSpan(root, this.#publish), {});
    this.#routeContext = api.trace.setSpan(root, this.#route);
    const context = this.#route.spanContext();
    if (parts.inject && api.isSpanContextValid(context)) this.userProperties = withContext(given, context);
  }

  delivered(clientId: string, qos: number): void {
    if (++this.#deliveries > this.#parts.maxDeliveries) return;
    const { SpanKind } = this.#parts.api;
    const attributes = { "messaging.client.id": clientId, "mqtt.qos": qos };
    this.#start("deliver", SpanKind.PRODUCER, this.#routeContext, attributes).end();
  }

  queued(clientId: string): void {
    if (++this.#queued <= MOST_EVENTS) this.#route.addEvent("queued", { "messaging.client.id": clientId });
  }

  dropped(clientId: string, reason: string): void {
    if (++this.#dropped > MOST_EVENTS) return;
    this.#route.addEvent("dropped", { "messaging.client.id": clientId, reason });
  }

  end(reasonCode: ReasonCode | undefined): void {
    this.#route.setAttributes({
      "wrenmq.deliveries": this.#deliveries,
      "wrenmq.queued": this.#queued,
      "wrenmq.dropped": this.#dropped,
    });
    if (reasonCode !== undefined) {
      this.#publish.setAttribute("mqtt.reason_code", reasonCode);
      if (reasonCode >= 0x80) this.#publish.setStatus({ code: this.#parts.api.SpanStatusCode.ERROR });
    }
    this.#route.end();
    this.#publish.end();
  }

  /** Names have no topic in them: there may be millions. */
  #start(name: string, kind: SpanKind, context: Context, attributes: Record<string, string | number | boolean>): Span {
    const common = { "messaging.system": "mqtt", "messaging.destination.name": this.#topic };
    return this.#parts.tracer.startSpan(name, { kind, attributes: { ...common, ...attributes } }, context);
  }
}

function spanContextOf(api: OpenTelemetryApi, { traceId, spanId, flags, state }: TraceContext) {
  const traceState = state === undefined ? {} : { traceState: api.createTraceState(state) };
  return { traceId, spanId, traceFlags: flags, isRemote: true, ...traceState };
}
