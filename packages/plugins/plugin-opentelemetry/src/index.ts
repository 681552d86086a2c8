export { openTelemetry, openTelemetry as default } from "./opentelemetry.ts";
export type { OpenTelemetryOptions } from "./options.ts";
