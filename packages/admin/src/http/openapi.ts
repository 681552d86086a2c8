// The OpenAPI 3.1 document of the admin API, made from the table of commands.
import { VERSION } from "@wrenmq/broker";
import { ALL_COMMANDS } from "../commands.ts";
import type { AnyCommand } from "../define-command.ts";
import { jsonSchemaOf } from "../words.ts";

type Json = Record<string, unknown>;

const PROBLEM: Json = {
  type: "object",
  description: "RFC 9457",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "stable: see docs/errors.md" },
    field: { type: "string" },
    expected: { type: "string" },
  },
};

let made: Json | undefined;

export function openApi(): Json {
  made ??= {
    openapi: "3.1.0",
    info: {
      title: "WrenMQ administration",
      version: VERSION,
      description: "Made from the table of commands of @wrenmq/admin.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths: {
      "/healthz": open("Is the process alive?", "application/json"),
      "/readyz": { get: { ...open("May clients be sent here? 503: no.", "application/json").get, security: [] } },
      "/metrics": {
        get: { ...open("Numbers in Prometheus' text format.", "text/plain").get, security: [{ token: [] }] },
      },
      "/openapi.json": open("This document.", "application/json"),
      ...Object.fromEntries(ALL_COMMANDS.map((command) => [`/api/v1/${command.name}`, pathOf(command)])),
    },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: { Problem: PROBLEM },
      responses: {
        Problem: {
          description: "It was refused.",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  };
  return made;
}

function open(summary: string, type: string): { readonly get: Json } {
  const content = { [type]: { schema: type === "text/plain" ? { type: "string" } : { type: "object" } } };
  return {
    get: { operationId: idOf(summary), summary, security: [], responses: { 200: { description: summary, content } } },
  };
}

function idOf(summary: string): string {
  return summary.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
}

function pathOf(command: AnyCommand): Json {
  const { name, summary, kind, role, streams } = command;
  const operation: Json = {
    operationId: name,
    summary,
    tags: [name.split(".")[0]],
    "x-wrenmq-kind": kind,
    "x-wrenmq-role": role,
    responses: {
      200: { description: "Done.", content: contentOf(jsonSchemaOf(command.output, "output"), streams) },
      default: { $ref: "#/components/responses/Problem" },
    },
  };
  const input = jsonSchemaOf(command.input, "input");
  if (kind === "read") return { get: { ...operation, parameters: parametersOf(input) } };
  return {
    post: { ...operation, requestBody: { required: true, content: { "application/json": { schema: input } } } },
  };
}

/** The schema of a stream is that of one line, and of the data of one event. */
function contentOf(schema: Json, streams: boolean): Json {
  if (!streams) return { "application/json": { schema } };
  return { "application/x-ndjson": { schema }, "text/event-stream": { schema } };
}

function parametersOf({ properties = {}, required = [] }: Json): Json[] {
  return Object.entries(properties as Record<string, Json>).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: (required as string[]).includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}
