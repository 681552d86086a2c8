// Opens a database by its URL, as a Kysely instance. The drivers of servers are optional: they are loaded when a URL
// needs them.
import { type Dialect, Kysely, MysqlDialect, PostgresDialect } from "kysely";
import { DatabaseError } from "./database-error.ts";
import { type DatabaseKind, type DatabaseUrl, parseDatabaseUrl } from "./database-url.ts";
import { sqliteDialect } from "./sqlite.ts";
import { checkSqliteFile } from "./sqlite-file.ts";

export interface OpenOptions {
  /** The most connections to a server. Default 8. */
  readonly connections?: number;
  /** Milliseconds to open a connection. Default 5000. */
  readonly timeout?: number;
  /** SQLite: create the file if it does not exist. Default true. */
  readonly create?: boolean;
  /** Called when an idle connection breaks; the next query opens another one. Default: nothing is called. */
  readonly onError?: (error: Error) => void;
}

export interface OpenDatabase<Tables> {
  readonly kind: DatabaseKind;
  readonly db: Kysely<Tables>;
}

/**
 * Servers are not contacted before the first query.
 * @throws DatabaseError
 */
export async function openDatabase<Tables>(url: string, options: OpenOptions = {}): Promise<OpenDatabase<Tables>> {
  const parsed = parseDatabaseUrl(url);
  return { kind: parsed.kind, db: new Kysely<Tables>({ dialect: await dialectFor(parsed, options) }) };
}

/**
 * What keeps a database from being opened, as far as it shows without a connection; undefined: nothing. The message does
 * not repeat the URL, which may contain a password.
 */
export async function checkDatabase(url: string, { create = true }: OpenOptions = {}): Promise<string | undefined> {
  try {
    const { kind, target } = parseDatabaseUrl(url);
    if (kind === "sqlite") checkSqliteFile(target, create);
    else if (kind === "postgres") await import("pg").catch((cause: unknown) => missing("pg", cause));
    else await import("mysql2").catch((cause: unknown) => missing("mysql2", cause));
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseError) return error.message;
    throw error;
  }
}

async function dialectFor({ kind, target }: DatabaseUrl, options: OpenOptions): Promise<Dialect> {
  const { connections = 8, timeout = 5000, create = true, onError = () => {} } = options;
  switch (kind) {
    case "sqlite":
      checkSqliteFile(target, create);
      return sqliteDialect(target);
    case "postgres": {
      const { default: pg } = await import("pg").catch((cause: unknown) => missing("pg", cause));
      const pool = new pg.Pool({ connectionString: target, max: connections, connectionTimeoutMillis: timeout });
      pool.on("error", onError); // without a listener a server that restarts would end the process
      return new PostgresDialect({ pool });
    }
    case "mysql": {
      const { createPool } = await import("mysql2").catch((cause: unknown) => missing("mysql2", cause));
      return new MysqlDialect({
        pool: createPool({ uri: target, connectionLimit: connections, connectTimeout: timeout }),
      });
    }
  }
}

function missing(driver: string, cause: unknown): never {
  throw new DatabaseError("ERR_DATABASE_DRIVER", `the package "${driver}" is needed for this database: install it`, {
    cause,
  });
}
