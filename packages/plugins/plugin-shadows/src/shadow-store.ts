// Where shadows are kept: as retained messages in the broker's own store, or in a database.
import type { PluginContext } from "@wrenmq/plugin-api";
import { openDatabase } from "@wrenmq/sql-database";
import { type Generated, sql } from "kysely";
import type { ShadowDocument } from "./document.ts";

export interface ShadowStore {
  load(device: string, name: string): Promise<ShadowDocument | undefined>;
  /** Rejects when there is that version already. */
  save(device: string, name: string, document: ShadowDocument): Promise<void>;
  close(): Promise<void>;
}

/** The document itself is the retained message of `$shadow/<device>/<name>`. */
export function retainedStore(context: PluginContext): ShadowStore {
  const topicOf = (device: string, name: string) => `$shadow/${device}/${name}`;
  return {
    async load(device, name) {
      for (const { payload } of context.retainedMessages(topicOf(device, name))) {
        return JSON.parse(new TextDecoder().decode(payload)) as ShadowDocument;
      }
      return undefined;
    },
    async save(device, name, document) {
      context.retain(topicOf(device, name), JSON.stringify(document), { qos: 1 });
    },
    close: async () => {},
  };
}

interface Tables {
  shadows: {
    id: Generated<number>;
    device: string;
    name: string;
    version: number;
    document: string;
  };
}

/** A row for each version, never changed; of older ones the last `keep` stay (0: all). Makes the table if it is missing. */
export async function sqlStore(
  connection: string,
  keep: number,
  onError: (error: Error) => void,
): Promise<ShadowStore> {
  const { db, kind } = await openDatabase<Tables>(connection, { onError });
  const table = db.schema.createTable("shadows").ifNotExists();
  const withId =
    kind === "postgres"
      ? table.addColumn("id", "serial", (column) => column.primaryKey())
      : table.addColumn("id", "integer", (column) =>
          kind === "mysql" ? column.primaryKey().autoIncrement() : column.primaryKey(),
        );
  // names that differ only in case are different shadows, which MySQL must be told
  const text = kind === "mysql" ? sql`varchar(255) character set utf8mb4 collate utf8mb4_bin` : "varchar(255)";
  await withId
    .addColumn("device", text, (column) => column.notNull())
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("version", "integer", (column) => column.notNull())
    .addColumn("document", "text", (column) => column.notNull())
    .addUniqueConstraint("shadows_version", ["device", "name", "version"])
    .execute();
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
