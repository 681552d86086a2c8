// Databases as aMQTT's own tools make them: the tables that its models declare, with the rows that `user_mgr add` and
// `topic_mgr add` write. amqtt-auth.db is the SQLite file; servers get the same by these statements.
import { fileURLToPath } from "node:url";
import { openDatabase } from "@wrenmq/sql-database";
import { sql } from "kysely";

export const SQLITE_FILE: string = fileURLToPath(new URL("fixtures/amqtt-auth.db", import.meta.url));

/** Password: "secret". */
const ALICE_HASH = "$argon2id$v=19$m=65536,t=3,p=4$jNp3/IwJBSCcMFGt2R0sNw$bFz5u7T5u9qUcmDbTrOXe6TLMbN2wwpXJgBemLuCWQQ";

const COLUMNS =
  "publish_acl JSON NOT NULL, subscribe_acl JSON NOT NULL, receive_acl JSON NOT NULL, PRIMARY KEY (id), UNIQUE (username)";

/** Makes the tables on a server, in place of those that are there. */
export async function makeAmqttTables(url: string): Promise<void> {
  const { db, kind } = await openDatabase<object>(url);
  const id = kind === "postgres" ? "id SERIAL NOT NULL" : "id INTEGER NOT NULL AUTO_INCREMENT";
  const name = kind === "postgres" ? "username VARCHAR NOT NULL" : "username VARCHAR(255) NOT NULL";
  const statements = [
    "DROP TABLE IF EXISTS user_auth",
    "DROP TABLE IF EXISTS topic_auth",
    `CREATE TABLE user_auth (${id}, ${name}, password_hash VARCHAR(128) NOT NULL, ${COLUMNS})`,
    `CREATE TABLE topic_auth (${id}, ${name}, ${COLUMNS})`,
    `INSERT INTO user_auth (username, password_hash, publish_acl, subscribe_acl, receive_acl) VALUES ('alice', '${ALICE_HASH}', '[]', '[]', '[]')`,
    `INSERT INTO topic_auth (username, publish_acl, subscribe_acl, receive_acl) VALUES ('alice', '[{"topic": "home/+/set"}]', '[{"topic": "home/#"}, {"topic": "news"}]', '[{"topic": "home/#"}]')`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
  await db.destroy();
}
