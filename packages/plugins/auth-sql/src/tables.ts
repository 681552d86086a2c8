// The tables of the database, with names and columns as in aMQTT, so that its databases can be used.
import type { OpenDatabase } from "@wrenmq/sql-database";
import { type Generated, type Kysely, sql } from "kysely";

/** A list of filters: JSON text, or what a driver makes of a JSON column. */
export type StoredList = unknown;

export interface Tables {
  user_auth: {
    id: Generated<number>;
    username: string;
    password_hash: string;
    publish_acl: StoredList;
    subscribe_acl: StoredList;
    receive_acl: StoredList;
  };
  topic_auth: {
    id: Generated<number>;
    username: string;
    publish_acl: StoredList;
    subscribe_acl: StoredList;
    receive_acl: StoredList;
  };
}

export const COLUMN = { publish: "publish_acl", subscribe: "subscribe_acl", receive: "receive_acl" } as const;

export type Db = Kysely<Tables>;

/** Creates the tables that are missing; existing ones stay as they are. */
export async function createTables({ db, kind }: OpenDatabase<Tables>): Promise<void> {
  for (const table of ["user_auth", "topic_auth"] as const) {
    let create = db.schema.createTable(table).ifNotExists();
    create =
      kind === "postgres"
        ? create.addColumn("id", "serial", (column) => column.primaryKey())
        : create.addColumn("id", "integer", (column) =>
            kind === "mysql" ? column.primaryKey().autoIncrement() : column.primaryKey(),
          );
    // names that differ only in case are different users; MySQL needs a binary collation for that
    const name = kind === "mysql" ? sql`varchar(255) character set utf8mb4 collate utf8mb4_bin` : "varchar(255)";
    create = create.addColumn("username", name, (column) => column.notNull().unique());
    if (table === "user_auth") create = create.addColumn("password_hash", "varchar(255)", (column) => column.notNull());
    await create
      .addColumn("publish_acl", "text")
      .addColumn("subscribe_acl", "text")
      .addColumn("receive_acl", "text")
      .execute();
  }
}

/**
 * The filters of a list: aMQTT writes `[{"topic": "a/#"}]`, earlier versions of this package wrote `["a/#"]`, as text
 * or as what a driver makes of a JSON column.
 * @returns undefined: it is not such a list
 */
export function readList(stored: StoredList): string[] | undefined {
  if (stored === null || stored === undefined || stored === "") return [];
  let value: unknown = stored;
  if (typeof value === "string") {
    try {
      value = JSON.parse(value) as unknown;
    } catch {
      return undefined;
    }
  }
  if (value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const filters = value.map(filterOf);
  return filters.includes(undefined) ? undefined : (filters as string[]);
}

function filterOf(item: unknown): string | undefined {
  const filter = typeof item === "object" && item !== null ? (item as { topic?: unknown }).topic : item;
  return typeof filter === "string" ? filter : undefined;
}

/** In the form that aMQTT reads. */
export function writeList(filters: readonly string[]): string {
  return JSON.stringify(filters.map((topic) => ({ topic })));
}
