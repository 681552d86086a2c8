// Handles one request of the admin API: finds the command, the caller and the form of the answer. Paths are looked up
// in a table and never name a file; there is one for each command, so no framework is needed.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admin, Lines } from "../admin.ts";
import { AdminError } from "../admin-error.ts";
import { commandNamed } from "../commands.ts";
import { type AnyCommand, mayCall } from "../define-command.ts";
import { inputFromWords } from "../words.ts";
import { jsonBody } from "./body.ts";
import type { DashboardFiles } from "./dashboard-files.ts";
import { openApi } from "./openapi.ts";
import { answerSession, type PageLoginOptions, SESSION_PATH } from "./page-login.ts";
import { checkWrite } from "./page-sessions.ts";
import type { Principal } from "./principal.ts";
import { problemOf } from "./problem.ts";
import { goneSignal, sendLines } from "./send-lines.ts";

export interface HandlerOptions {
  readonly admin: Admin;
  /**
   * Identifies the caller; undefined: unknown.
   * @throws AdminError unauthorized, too_many_requests
   */
  identify(request: IncomingMessage): Principal | undefined;
  /** Does the Host header name this server? Otherwise a page of another origin could reach it through DNS rebinding. */
  isForUs(host: string | undefined): boolean;
  /** May metrics be read without a token? */
  readonly openMetrics: boolean;
  /** Absent: there is no dashboard. */
  readonly dashboard?: { readonly files: DashboardFiles; readonly login: PageLoginOptions };
  /** Ends streams when it is aborted. */
  readonly closing?: AbortSignal;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export const API_PREFIX = "/api/v1/";
/** Milliseconds that a client may read nothing of an answer. */
const SLOWEST_READER = 30_000;

const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
} as const;

export function createHandler(options: HandlerOptions): Handler {
  return (request, response) => {
    answer(options, request, response).catch((error: unknown) => fail(response, request, error));
  };
}

async function answer(options: HandlerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setTimeout(SLOWEST_READER, () => response.destroy());
  const url = urlOf(request);
  const path = url?.pathname ?? "";
  // Health probes use an IP address; they learn only whether the broker is alive and ready.
  const isProbe = path === "/healthz" || path === "/readyz";
  if (!isProbe && !options.isForUs(request.headers.host)) {
    throw new AdminError("forbidden", `host ${JSON.stringify(request.headers.host ?? "")} is not known here`, {
      field: "Host",
      expected: "a name of this server (admin.hosts)",
    });
  }
  const { admin, dashboard } = options;
  if (dashboard?.files.has(path)) {
    mustBe(request, "GET");
    return dashboard.files.answer(path, request, response);
  }
  if (dashboard !== undefined && path === SESSION_PATH) {
    const { report, cookie } = await answerSession(dashboard.login, request);
    return send(response, 200, report, cookie === undefined ? {} : { "set-cookie": cookie });
  }
  switch (path) {
    case "/healthz":
      mustBe(request, "GET");
      return send(response, 200, { status: "ok" });
    case "/readyz": {
      mustBe(request, "GET");
      const report = await admin.call("health", {});
      // Without the right to more, no details.
      return send(response, report.ready ? 200 : 503, { ready: report.ready, checks: named(report.checks) });
    }
    case "/metrics":
      mustBe(request, "GET");
      if (!options.openMetrics) mustBeKnown(options.identify(request));
      return sendText(response, await admin.metricsText(), "text/plain; version=0.0.4");
    case "/openapi.json":
      mustBe(request, "GET");
      return send(response, 200, openApi());
  }
  const command = path.startsWith(API_PREFIX) ? commandNamed(path.slice(API_PREFIX.length)) : undefined;
  const principal = mustBeKnown(options.identify(request));
  if (command === undefined) throw new AdminError("not_found", "there is nothing at this address; see /openapi.json");
  await runCommand(admin, command, principal, {
    request,
    response,
    query: url?.searchParams,
    closing: options.closing,
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams | undefined;
  readonly closing: AbortSignal | undefined;
}

async function runCommand(
  admin: Admin,
  command: AnyCommand,
  principal: Principal,
  { request, response, query, closing }: Exchange,
): Promise<void> {
  mustBe(request, command.kind === "read" ? "GET" : "POST");
  if (!mayCall(principal.role, command)) {
    throw new AdminError(
      "forbidden",
      `${command.name} needs the role ${command.role}, the token has ${principal.role}`,
    );
  }
  if (command.kind !== "read") checkWrite(request, principal.session);
  if (command.streams) principal.session?.hold(response);
  const input = command.kind === "read" ? inputFromWords(command, query ?? []) : await jsonBody(request);
  if (!command.streams) {
    send(response, 200, await admin.run(command, input, principal));
    return;
  }
  if (request.method === "HEAD") {
    response.writeHead(200, HEADERS).end();
    return;
  }
  const signal = goneSignal(response, closing);
  const lines = (await admin.run(command, input, principal, signal)) as Lines<unknown>;
  await sendLines(request, response, HEADERS, lines);
}

function urlOf({ url = "" }: IncomingMessage): URL | undefined {
  // Joined as text: two slashes at the beginning are a path here, and no host.
  const whole = `http://localhost${url}`;
  return url.startsWith("/") && URL.canParse(whole) ? new URL(whole) : undefined;
}

function named(checks: readonly { readonly name: string; readonly ok: boolean }[]): Record<string, boolean> {
  return Object.fromEntries(checks.map(({ name, ok }) => [name, ok]));
}

function mustBeKnown(principal: Principal | undefined): Principal {
  if (principal !== undefined) return principal;
  throw new AdminError("unauthorized", "a token is needed: Authorization: Bearer …");
}

function mustBe(request: IncomingMessage, method: "GET" | "POST"): void {
  if (request.method === method || (method === "GET" && request.method === "HEAD")) return;
  throw new AdminError("not_acceptable", `method ${request.method}: expected ${method}`, { expected: method });
}

function send(
  response: ServerResponse,
  status: number,
  value: unknown,
  more: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    ...HEADERS,
    "content-type": "application/json",
    "content-length": body.length,
    ...more,
  });
  response.end(body);
}

function sendText(response: ServerResponse, text: string, type: string): void {
  response.writeHead(200, { ...HEADERS, "content-type": type });
  response.end(text);
}

function fail(response: ServerResponse, request: IncomingMessage, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const known =
    error instanceof AdminError ? error : new AdminError("internal", "the request failed", { cause: error });
  const body = Buffer.from(JSON.stringify(problemOf(known)));
  const special: Record<string, string> = {};
  if (known.code === "unauthorized") special["www-authenticate"] = "Bearer";
  if (known.retryAfter !== undefined) special["retry-after"] = String(known.retryAfter);
  // The rest of the request is not read.
  if (!request.complete) special["connection"] = "close";
  response.writeHead(known.status, {
    ...HEADERS,
    "content-type": "application/problem+json",
    "content-length": body.length,
    ...special,
  });
  response.end(body);
}
