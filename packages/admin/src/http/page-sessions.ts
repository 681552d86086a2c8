// Sessions of the dashboard: a token is given once, then a cookie stands for it. A session lasts for a bounded time, at
// most as long as its token, and there is a bounded number of them. Only digests of cookies are kept.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { AdminError } from "../admin-error.ts";
import type { PageSession, Principal } from "./principal.ts";

/** Milliseconds that a session lasts. */
const LIFE = 12 * 3_600_000;
const MOST_SESSIONS = 100;
/** Of one token. */
const MOST_OF_ONE = 10;
/** Milliseconds between two checks of the sessions that have streams open. */
const CHECK_INTERVAL = 2_000;

export const CSRF_HEADER = "x-wrenmq-csrf";

/** Finds the caller again; undefined: the token no longer counts. */
export type Recheck = (now: number) => Omit<Principal, "address"> | undefined;

interface Kept extends PageSession {
  readonly who: string;
  readonly recheck: Recheck;
  readonly held: Set<ServerResponse>;
}

export class PageSessions {
  readonly #port: () => number;
  readonly #prefix: string;
  readonly #attributes: string;
  readonly #sessions = new Map<string, Kept>();
  #check: NodeJS.Timeout | undefined;

  /** @param port the browser sends a cookie to every port of a host: its name tells brokers apart */
  constructor(port: () => number, hasTls: boolean) {
    this.#port = port;
    this.#prefix = hasTls ? "__Host-wrenmq-" : "wrenmq-";
    this.#attributes = `Path=/; HttpOnly; SameSite=Strict${hasTls ? "; Secure" : ""}`;
  }

  /** Begins a session. @returns the value of Set-Cookie */
  open(who: string, recheck: Recheck, now: number): { readonly session: PageSession; readonly cookie: string } {
    this.#makeRoom(who, now);
    const id = randomBytes(32).toString("base64url");
    const held = new Set<ServerResponse>();
    const session: Kept = {
      csrf: randomBytes(32).toString("base64url"),
      expiresAt: now + LIFE,
      who,
      recheck,
      held,
      hold: (response) => {
        held.add(response);
        response.once("close", () => held.delete(response));
        this.#watch();
      },
    };
    this.#sessions.set(digestOf(id), session);
    return { session, cookie: `${this.#cookie}=${id}; ${this.#attributes}; Max-Age=${LIFE / 1000}` };
  }

  /** @throws AdminError forbidden: the request comes from a page of another origin */
  find(
    request: IncomingMessage,
    now: number,
  ): { readonly session: PageSession; readonly caller: Omit<Principal, "address"> } | undefined {
    const key = this.#keyOf(request);
    const session = key === undefined ? undefined : this.#sessions.get(key);
    if (key === undefined || session === undefined) return undefined;
    const site = request.headers["sec-fetch-site"];
    if (site !== undefined && site !== "same-origin" && site !== "none") {
      throw new AdminError("forbidden", "the session is the dashboard's own", {
        field: "Sec-Fetch-Site",
        expected: "same-origin",
      });
    }
    const caller = session.expiresAt > now ? session.recheck(now) : undefined;
    if (caller === undefined) {
      this.#end(key);
      return undefined;
    }
    return { session, caller };
  }

  /** Ends the session of a request. @returns the value of Set-Cookie */
  end(request: IncomingMessage): string {
    const key = this.#keyOf(request);
    if (key !== undefined) this.#end(key);
    return `${this.#cookie}=; ${this.#attributes}; Max-Age=0`;
  }

  close(): void {
    clearInterval(this.#check);
    this.#check = undefined;
    for (const key of this.#sessions.keys()) this.#end(key);
  }

  get #cookie(): string {
    return this.#prefix + this.#port();
  }

  #keyOf({ headers }: IncomingMessage): string | undefined {
    const cookie = this.#cookie;
    const values = (headers.cookie ?? "").split(";").flatMap((pair) => {
      const [name = "", value = ""] = pair.trim().split("=");
      return name === cookie ? [value] : [];
    });
    // Two of them: somebody else has set one.
    const [only] = values;
    return values.length === 1 && only !== undefined && /^[\w-]{43}$/.test(only) ? digestOf(only) : undefined;
  }

  #end(key: string): void {
    const session = this.#sessions.get(key);
    this.#sessions.delete(key);
    for (const response of session?.held ?? []) {
      if (response.headersSent) response.destroy();
      // A stream that has not begun gets an answer, not an end without one.
      else response.writeHead(401, { connection: "close", "content-length": 0 }).end();
    }
  }

  #makeRoom(who: string, now: number): void {
    for (const [key, { expiresAt }] of this.#sessions) if (expiresAt <= now) this.#end(key);
    const own = [...this.#sessions].filter(([, session]) => session.who === who);
    if (own.length >= MOST_OF_ONE) this.#end(own[0]?.[0] ?? "");
    if (this.#sessions.size >= MOST_SESSIONS) this.#end(this.#sessions.keys().next().value ?? "");
  }

  /** A stream makes no further requests at which the token could be checked. */
  #watch(): void {
    this.#check ??= setInterval(() => {
      const now = Date.now();
      let isNeeded = false;
      for (const [key, { held, expiresAt, recheck }] of this.#sessions) {
        if (held.size === 0) continue;
        if (expiresAt <= now || recheck(now) === undefined) this.#end(key);
        else isNeeded = true;
      }
      if (isNeeded) return;
      clearInterval(this.#check);
      this.#check = undefined;
    }, CHECK_INTERVAL).unref();
  }
}

/**
 * Checks a request that changes something. A token may come from anywhere but a page; a session only from the page of
 * this server, which alone can know the value of the header.
 * @throws AdminError forbidden
 */
export function checkWrite(request: IncomingMessage, session: PageSession | undefined): void {
  if (session === undefined) {
    if (request.headers.origin === undefined) return;
    throw new AdminError("forbidden", "no page may change anything here", {
      field: "Origin",
      expected: "no Origin header",
    });
  }
  checkOrigin(request);
  const given = request.headers[CSRF_HEADER];
  if (typeof given !== "string" || !timingSafeEqual(sha256(given), sha256(session.csrf))) {
    throw new AdminError("forbidden", "the request does not come from the dashboard", {
      field: CSRF_HEADER,
      expected: "the csrf of GET /session",
    });
  }
}

/** @throws AdminError forbidden: the request does not come from a page of this server */
export function checkOrigin({ headers: { origin, host } }: IncomingMessage): void {
  // Behind a proxy that ends TLS the origin is one of HTTPS: which port goes without saying is the origin's matter.
  const own = origin !== undefined && URL.canParse(origin) ? new URL(origin) : undefined;
  const addressed = `${own?.protocol}//${host}`;
  if (own !== undefined && URL.canParse(addressed) && new URL(addressed).host === own.host) return;
  throw new AdminError("forbidden", `origin ${JSON.stringify(origin ?? "")} is not this server's`, {
    field: "Origin",
    expected: "the origin of the dashboard",
  });
}

function digestOf(id: string): string {
  return sha256(id).toString("base64url");
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
