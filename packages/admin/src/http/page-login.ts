// `/session`: signs the dashboard in and out, and says who is signed in.
import type { IncomingMessage } from "node:http";
import { AdminError } from "../admin-error.ts";
import { jsonBody } from "./body.ts";
import { checkOrigin, checkWrite, type PageSessions, type Recheck } from "./page-sessions.ts";
import type { PageSession, Principal } from "./principal.ts";

export const SESSION_PATH = "/session";
/** Bytes of a body with a token. */
const LONGEST = 1_024;

/** Is a token needed? `closed`: nobody can sign in, as no tokens are configured. */
export type Access = "token" | "open" | "closed";

export interface PageLoginOptions {
  readonly sessions: PageSessions;
  readonly access: Access;
  /**
   * Finds the caller of a token; failures are counted.
   * @throws AdminError unauthorized, too_many_requests
   */
  identify(request: IncomingMessage, token: string): { readonly who: string; readonly recheck: Recheck };
  /** Called when somebody signs in. */
  signedIn(who: string, request: IncomingMessage): void;
}

export interface SessionReport {
  readonly access: Access;
  readonly signedIn: boolean;
  readonly who?: string;
  readonly role?: Principal["role"];
  /** To be sent as X-WrenMQ-CSRF with all that changes something. */
  readonly csrf?: string;
  /** ISO 8601 */
  readonly expiresAt?: string;
}

export interface LoginAnswer {
  readonly report: SessionReport;
  readonly cookie?: string;
}

export async function answerSession(options: PageLoginOptions, request: IncomingMessage): Promise<LoginAnswer> {
  const { sessions, access } = options;
  const now = Date.now();
  switch (request.method) {
    case "GET": {
      const found = sessions.find(request, now);
      if (found === undefined) return { report: { access, signedIn: false } };
      return { report: reportOf(access, found.session, found.caller) };
    }
    case "POST":
      return signIn(options, request, now);
    case "DELETE": {
      const found = sessions.find(request, now);
      if (found !== undefined) checkWrite(request, found.session);
      return { report: { access, signedIn: false }, cookie: sessions.end(request) };
    }
    default:
      throw new AdminError("not_acceptable", `method ${request.method}: expected GET, POST or DELETE`, {
        expected: "GET, POST, DELETE",
      });
  }
}

async function signIn(options: PageLoginOptions, request: IncomingMessage, now: number): Promise<LoginAnswer> {
  const { sessions, access } = options;
  checkOrigin(request);
  const body = await jsonBody(request, LONGEST);
  const token = typeof body === "object" && body !== null && "token" in body ? body.token : undefined;
  if (access === "token" && (typeof token !== "string" || !/^[!-~]{1,256}$/.test(token))) {
    throw new AdminError("invalid_input", "token: expected a token", { field: "token", expected: "a token" });
  }
  const { who, recheck } = options.identify(request, String(token));
  const caller = recheck(now);
  if (caller === undefined) throw new AdminError("unauthorized", "the token does not count");
  // Whoever has put a cookie into the browser before does not know the new one.
  sessions.end(request);
  const { session, cookie } = sessions.open(who, recheck, now);
  options.signedIn(who, request);
  return { report: reportOf(access, session, caller), cookie };
}

function reportOf(access: Access, { csrf, expiresAt }: PageSession, { who, role }: Omit<Principal, "address">) {
  return { access, signedIn: true, who, role, csrf, expiresAt: new Date(expiresAt).toISOString() };
}
