// `wrenmq users` and `wrenmq topics`.
import { resolve } from "node:path";
import { databaseReason, SqlUsers } from "@wrenmq/auth-sql";
import { CommandError, UsageError } from "../../errors.ts";
import { confirm, readPassword } from "../../password-input.ts";
import { systemReason } from "../../system-error.ts";

export interface DatabaseOptions {
  readonly connection?: string;
  readonly db?: "mysql" | "mariadb" | "postgresql" | "sqlite";
  readonly username?: string;
  readonly port?: number;
  readonly host: string;
  readonly database: string;
  readonly file: string;
}

export interface UserOptions extends DatabaseOptions {
  readonly clientId: string;
  readonly yes?: boolean;
}

export interface TopicOptions extends DatabaseOptions {
  readonly clientId: string;
  readonly action: "subscribe" | "publish" | "receive";
}

export async function sync(options: DatabaseOptions): Promise<void> {
  await using(options, (users) => users.createTables(), { create: true });
}

export async function listUsers(options: DatabaseOptions): Promise<void> {
  for (const name of await using(options, (users) => users.listUsers())) process.stdout.write(`${name}\n`);
}

export async function addUser(options: UserOptions): Promise<void> {
  await using(options, async (users) => users.addUser(options.clientId, await readPassword(options.clientId)));
}

export async function removeUser(options: UserOptions): Promise<void> {
  const { clientId, yes } = options;
  if (yes !== true && !(await confirm(`Remove ${clientId}?`)))
    throw new CommandError("nothing was removed (see --yes)");
  await using(options, (users) => users.removeUser(clientId));
}

export async function setPassword(options: UserOptions): Promise<void> {
  await using(options, async (users) => users.setPassword(options.clientId, await readPassword(options.clientId)));
}

export async function listTopics(options: DatabaseOptions): Promise<void> {
  for (const { username, ...lists } of await using(options, (users) => users.listTopics())) {
    for (const [action, filters] of Object.entries(lists)) {
      for (const filter of filters) process.stdout.write(`${username} ${action} ${filter}\n`);
    }
  }
}

export async function changeTopic(change: "add" | "rm", topic: string, options: TopicOptions): Promise<void> {
  const { clientId, action } = options;
  await using(options, (users) =>
    change === "add" ? users.addTopic(clientId, action, topic) : users.removeTopic(clientId, action, topic),
  );
}

async function using<T>(
  options: DatabaseOptions,
  work: (users: SqlUsers) => Promise<T>,
  { create = false }: { readonly create?: boolean } = {},
): Promise<T> {
  const connection = await connectionOf(options);
  const users = await SqlUsers.open(connection, { create });
  try {
    return await work(users);
  } catch (error) {
    const reason = systemReason(error) ?? databaseReason(error);
    if (reason === undefined) throw error;
    const hint = reason.includes("table is missing") ? ` (wrenmq users sync makes it)` : "";
    throw new CommandError(`the database ${placeOf(connection)}: ${reason}${hint}`, { cause: error });
  } finally {
    await users.close();
  }
}

/** The file, or host and name, of a connection, without user and password. */
function placeOf(connection: string): string {
  return connection.replace(/^sqlite:\/{0,3}(?=\/|[^/])/i, "").replace(/^[^:/]+:\/\/(?:.*@)?/s, "");
}

async function connectionOf({
  connection,
  db,
  username,
  port,
  host,
  database,
  file,
}: DatabaseOptions): Promise<string> {
  if (connection !== undefined) return connection;
  if (db === undefined) throw new UsageError("give --connection or --db");
  if (db === "sqlite") return `sqlite:///${resolve(file)}`;
  const place = port === undefined ? host : `${host}:${port}`;
  // Without a terminal the first line of stdin would be the user's password.
  const password = username !== undefined && process.stdin.isTTY ? await readPassword(username) : undefined;
  const who =
    username === undefined
      ? ""
      : `${encodeURIComponent(username)}${password === undefined ? "" : `:${encodeURIComponent(password)}`}@`;
  return `${db === "mariadb" ? "mysql" : db}://${who}${place}/${encodeURIComponent(database)}`;
}
