// Plugin: makes spans of messages for OpenTelemetry. It uses `@opentelemetry/api` of the application, which decides where
// spans go; without that package it says so once and does nothing.
import { definePlugin, type Hooks, type Logger, type MessageTracing, type Plugin } from "@wrenmq/plugin-api";
import { beginSpans, type OpenTelemetryApi } from "./message-spans.ts";
import { OPTIONS, type OpenTelemetryOptions } from "./options.ts";
import { isSampled, readContext, TRACEPARENT } from "./trace-context.ts";

const NAME = "opentelemetry";
const SCOPE = "@wrenmq/plugin-opentelemetry";

type Load = () => Promise<OpenTelemetryApi>;

const loadApi: Load = () => import("@opentelemetry/api");

/** Spans for a part of the messages. */
export const openTelemetry: (options?: OpenTelemetryOptions) => Plugin = openTelemetryWith(loadApi);

/** @internal with another way to find the package, for tests */
export function openTelemetryWith(load: Load): (options?: OpenTelemetryOptions) => Plugin {
  return definePlugin({
    name: NAME,
    config: OPTIONS,
    async hooks({ config, context: { logger } }): Promise<Hooks> {
      const api = await loaded(load, logger);
      return api === undefined ? {} : { tracing: tracingOf(api, config) };
    },
  });
}

async function loaded(load: Load, logger: Logger): Promise<OpenTelemetryApi | undefined> {
  try {
    return await load();
  } catch (error) {
    const reason = (error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND" ? {} : { err: error };
    logger.warn(reason, "the package @opentelemetry/api cannot be loaded: no spans are made");
    return undefined;
  }
}

type Settings = Required<OpenTelemetryOptions>;

function tracingOf(api: OpenTelemetryApi, settings: Settings): MessageTracing {
  const { ratio, follow, inject, maxPerSecond, maxDeliveries } = settings;
  const parts = { api, tracer: api.trace.getTracer(SCOPE), inject, maxDeliveries };
  const allowance = new Allowance(maxPerSecond);
  return {
    ratio,
    userProperty: follow ? TRACEPARENT : undefined,
    begin(client, message) {
      const context = readContext(message.properties?.userProperties);
      // Whoever has begun the trace has decided that it is not recorded, or records it without us.
      if (context !== undefined && !(follow && isSampled(context))) return undefined;
      // A `traceparent` that does not count is none; it has brought the message here, not the ratio.
      if (context === undefined && hasParent(message.properties?.userProperties) && Math.random() >= ratio) {
        return undefined;
      }
      return allowance.take(Date.now()) ? beginSpans(parts, client, message) : undefined;
    },
  };
}

function hasParent(properties: readonly (readonly [string, string])[] | undefined): boolean {
  return properties?.some(([name]) => name === TRACEPARENT) === true;
}

/** A client may ask for a trace of every message: there is a bound. */
class Allowance {
  readonly #perSecond: number;
  #left: number;
  #at = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  take(now: number): boolean {
    const gained = (Math.max(0, now - this.#at) * this.#perSecond) / 1000;
    this.#left = Math.min(this.#perSecond, this.#left + gained);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
