// Who makes a request: the caller, its role, and the session if it is a page of the dashboard.
import type { ServerResponse } from "node:http";
import type { Caller } from "../admin.ts";
import type { Role } from "../define-command.ts";

export interface PageSession {
  readonly csrf: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** The answer ends when the session does. */
  hold(response: ServerResponse): void;
}

export interface Principal extends Caller {
  readonly role: Role;
  /** Absent: the caller is not a page of the dashboard. */
  readonly session?: PageSession;
}
