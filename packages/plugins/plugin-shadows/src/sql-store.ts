// Stores shadows in a database: a row for each version, never changed. aMQTT's table `shadows_shadow` is used if it
// exists, otherwise a table `shadows`.
import { type OpenDatabase, openDatabase } from "@wrenmq/sql-database";
import { sql } from "kysely";
import { amqttTable } from "./amqtt-table.ts";
import type { ShadowDocument } from "./document.ts";
import type { ShadowStore } from "./shadow-store.ts";
import type { Tables } from "./tables.ts";

const KEPT_VERSIONS = 100;

export interface SqlStoreOptions {
  readonly connection: string;
  /** Versions of each shadow to keep; 0: all. Default 100, in a table of aMQTT's all. */
  readonly keepVersions: number | undefined;
  readonly warn: (message: string) => void;
  /** An idle connection has broken. */
  readonly onError: (error: Error) => void;
}

export async function sqlStore({ connection, keepVersions, warn, onError }: SqlStoreOptions): Promise<ShadowStore> {
  const opened = await openDatabase<Tables>(connection, { onError });
  try {
    const { db } = opened;
    const names = new Set((await db.introspection.getTables()).map(({ name }) => name));
    if (names.has("shadows_shadow")) {
      const own = names.has("shadows")
        ? await db.selectFrom("shadows").select("id").limit(1).executeTakeFirst()
        : undefined;
      if (own === undefined) return amqttTable(db, keepVersions ?? 0);
      warn("the database has the tables shadows and shadows_shadow: what aMQTT kept in the latter is not read");
    }
    await createTable(opened);
    return ownTable(opened, keepVersions ?? KEPT_VERSIONS);
  } catch (error) {
    await opened.db.destroy();
    throw error;
  }
}

async function createTable({ db, kind }: OpenDatabase<Tables>): Promise<void> {
  const table = db.schema.createTable("shadows").ifNotExists();
  const withId =
    kind === "postgres"
      ? table.addColumn("id", "serial", (column) => column.primaryKey())
      : table.addColumn("id", "integer", (column) =>
          kind === "mysql" ? column.primaryKey().autoIncrement() : column.primaryKey(),
        );
  // names that differ only in case are different shadows; MySQL needs a binary collation for that
  const text = kind === "mysql" ? sql`varchar(255) character set utf8mb4 collate utf8mb4_bin` : "varchar(255)";
  await withId
    .addColumn("device", text, (column) => column.notNull())
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("version", "integer", (column) => column.notNull())
    .addColumn("document", "text", (column) => column.notNull())
    .addUniqueConstraint("shadows_version", ["device", "name", "version"])
    .execute();
}

function ownTable({ db }: OpenDatabase<Tables>, keep: number): ShadowStore {
  return {
    async load(device, name) {
      const row = await db
        .selectFrom("shadows")
        .select("document")
        .where("device", "=", device)
        .where("name", "=", name)
        .orderBy("version", "desc")
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? undefined : (JSON.parse(row.document) as ShadowDocument);
    },
    async save(device, name, document) {
      const { version } = document;
      await db
        .insertInto("shadows")
        .values({ device, name, version, document: JSON.stringify(document) })
        .execute();
      if (keep === 0 || version <= keep) return;
      await db
        .deleteFrom("shadows")
        .where("device", "=", device)
        .where("name", "=", name)
        .where("version", "<=", version - keep)
        .execute();
    },
    close: () => db.destroy(),
  };
}
