// Who is signed in. The cookie is out of reach for scripts; the CSRF token is kept in memory only.
import { Store } from "../pure/store.ts";
import { problemOf, unreachable } from "./problem.ts";
import type { Role } from "./types.ts";

export type SessionState =
  | { readonly kind: "loading" }
  | { readonly kind: "unreachable" }
  | { readonly kind: "out"; readonly access: "token" | "open" | "closed"; readonly reason?: string }
  | { readonly kind: "in"; readonly who: string; readonly role: Role; readonly csrf: string; readonly open: boolean };

interface Report {
  readonly access: "token" | "open" | "closed";
  readonly signedIn: boolean;
  readonly who?: string;
  readonly role?: Role;
  readonly csrf?: string;
}

/** Which header carries the CSRF token: see the admin API. */
export const CSRF_HEADER = "x-wrenmq-csrf";

export const session: Store<SessionState> = new Store<SessionState>({ kind: "loading" });

async function ask(method: string, body?: object, state = session.value): Promise<Report> {
  const response = await fetch("./session", {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(state.kind === "in" ? { [CSRF_HEADER]: state.csrf } : {}),
    },
  }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Report;
}

function take({ access, signedIn, who = "", role = "read", csrf = "" }: Report): void {
  session.set(signedIn ? { kind: "in", who, role, csrf, open: access === "open" } : { kind: "out", access });
}

/** Asks the broker who is signed in; where no token is needed, signs in. */
export async function findSession(): Promise<void> {
  try {
    const report = await ask("GET");
    take(report.access === "open" && !report.signedIn ? await ask("POST", {}) : report);
  } catch {
    session.set({ kind: "unreachable" });
  }
}

/** @throws Problem */
export async function signIn(token: string): Promise<void> {
  take(await ask("POST", { token }));
}

export async function signOut(): Promise<void> {
  const state = session.value;
  // The page ends its streams, when it is drawn again, before the broker does.
  session.set({ kind: "loading" });
  await new Promise((resolve) => setTimeout(resolve));
  try {
    take(await ask("DELETE", undefined, state));
  } catch {
    session.set({ kind: "out", access: "token" });
  }
}

/** The broker no longer knows the session. */
export function sessionEnded(): void {
  if (session.value.kind === "in") {
    session.set({ kind: "out", access: "token", reason: "The session has ended. Sign in again." });
  }
}

const RANK: Readonly<Record<Role, number>> = { read: 0, operate: 1, admin: 2 };

export function may(role: Role): boolean {
  const state = session.value;
  return state.kind === "in" && RANK[state.role] >= RANK[role];
}
