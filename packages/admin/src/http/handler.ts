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
  /**
   * Called for a request without a caller that is known. Absent: any number is served.
   * @throws AdminError too_many_requests
   */
  readonly admitStranger?: (request: IncomingMessage) => void;
  /** Does the Host header name this server? Otherwise a page of another origin could reach it through DNS rebinding. */
  isForUs(host: string | undefined): boolean;
  /** May metrics be read without a token? */
  readonly openMetrics: boolean;
  /** Absent: there is no dashboard. */
  readonly dashboard?: { readonly files: DashboardFiles; readonly login: PageLoginOptions };
  /** Ends streams when it is aborted. */
  readonly closing?: AbortSignal;
  /** Milliseconds that a client may read nothing of an answer. Default 30,000. */
  readonly slowestReader?: number;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export const API_PREFIX = "/api/v1/";
/** Milliseconds. */
const SLOWEST_READER = 30_000;
/** Served without a token. */
const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/openapi.json"]);

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
  response.setTimeout(options.slowestReader ?? SLOWEST_READER, () => response.destroy());
  const { path, query } = targetOf(request);
  // Health probes use an IP address; they learn only whether the broker is alive and ready.
  const isProbe = path === "/healthz" || path === "/readyz";
  const { admin, dashboard } = options;
  const isOpen =
    OPEN_PATHS.has(path) ||
    (path === "/metrics" && options.openMetrics) ||
    (dashboard !== undefined && (path === SESSION_PATH || dashboard.files.has(path)));
  const isForUs = isProbe || options.isForUs(request.headers.host);
  const principal = isOpen || !isForUs ? undefined : options.identify(request);
  if (principal === undefined) options.admitStranger?.(request);
  if (!isForUs) {
    throw new AdminError("forbidden", `host ${JSON.stringify(request.headers.host ?? "")} is not known here`, {
      field: "Host",
      expected: "a name of this server (admin.hosts)",
    });
  }
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
      if (!options.openMetrics) mustBeKnown(principal);
      return sendText(response, await admin.metricsText(), "text/plain; version=0.0.4");
    case "/openapi.json":
      mustBe(request, "GET");
      return send(response, 200, openApi());
  }
  const command = path.startsWith(API_PREFIX) ? commandNamed(path.slice(API_PREFIX.length)) : undefined;
  const caller = mustBeKnown(principal);
  if (command === undefined) throw new AdminError("not_found", "there is nothing at this address; see /openapi.json");
  await runCommand(admin, command, caller, { request, response, query, closing: options.closing });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
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
  const input = command.kind === "read" ? inputFromWords(command, query) : await jsonBody(request);
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

/** The path is what was sent, letter by letter: `..`, `%2e` and two slashes mean nothing here. */
function targetOf({ url = "" }: IncomingMessage): { readonly path: string; readonly query: URLSearchParams } {
  const at = url.indexOf("?");
  const path = at < 0 ? url : url.slice(0, at);
  return { path, query: new URLSearchParams(at < 0 ? "" : url.slice(at + 1)) };
}

function named(checks: readonly { readonly name: string; readonly ok: boolean }[]): Record<string, boolean> {
  return Object.fromEntries(checks.map(({ name, ok }) => [name, ok]));
}

function mustBeKnown(principal: Principal | undefined): Principal {
  if (principal !== undefined) return principal;
  throw new AdminError("unauthorized", "a token is needed: Authorization: Bearer …");
}

function mustBe(request: IncomingMessage, method: "GET" | "POST"): void {
  if (request.method === method || (method === "GET" && request.method === "HEAD")) {
    if (method === "POST" || !hasBody(request)) return;
    throw new AdminError("invalid_input", `a ${request.method} has no body`, { expected: "no body" });
  }
  throw new AdminError("not_acceptable", `method ${request.method}: expected ${method}`, { expected: method });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
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
  // The rest of the request is not read; who asks too often has to connect again.
  if (!request.complete || known.code === "too_many_requests") special["connection"] = "close";
  response.writeHead(known.status, {
    ...HEADERS,
    "content-type": "application/problem+json",
    "content-length": body.length,
    ...special,
  });
  response.end(body);
}
