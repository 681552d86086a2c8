// Parses database URLs as SQLAlchemy writes them, because configurations of aMQTT contain them:
// "sqlite:///relative.db", "sqlite:////absolute.db", "postgresql+asyncpg://…", "mysql+aiomysql://…".
import { DatabaseError } from "./database-error.ts";

export type DatabaseKind = "sqlite" | "postgres" | "mysql";

export interface DatabaseUrl {
  readonly kind: DatabaseKind;
  /** A path (or ":memory:") for SQLite, otherwise a URL that the driver understands. */
  readonly target: string;
}

const KINDS: Readonly<Record<string, DatabaseKind>> = {
  sqlite: "sqlite",
  postgres: "postgres",
  postgresql: "postgres",
  mysql: "mysql",
  mariadb: "mysql",
};

/** @throws DatabaseError ERR_DATABASE_URL; the message does not contain the URL, which may have a password */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const parts = /^([a-z]+)(?:\+[a-z0-9_]+)?:(.*)$/is.exec(url);
  const scheme = parts?.[1]?.toLowerCase() ?? "";
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  const rest = parts?.[2] ?? "";
  if (kind === undefined || (kind !== "sqlite" && !rest.startsWith("//"))) {
    throw new DatabaseError("ERR_DATABASE_URL", "expected a URL with sqlite:, postgresql: or mysql:");
  }
  if (kind !== "sqlite") return { kind, target: `${kind === "mysql" ? "mysql" : "postgresql"}:${rest}` };
  const path = rest.replace(/^\/\/\/?/, "").replace(/\?.*$/, "");
  return { kind, target: path === "" ? ":memory:" : path };
}
