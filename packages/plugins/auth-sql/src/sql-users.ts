// Manages users and their topic filters in a database, for commands. Every value is bound, never part of a statement.

import { hashPassword } from "@wrenmq/password-hash";
import type { Action } from "@wrenmq/plugin-api";
import { type OpenDatabase, openDatabase } from "@wrenmq/sql-database";
import { isShared, isTopicFilter } from "@wrenmq/topics";
import { COLUMN, createTables, readList, type Tables, writeList } from "./tables.ts";

/**
 * - `ERR_USER_EXISTS`, `ERR_USER_UNKNOWN`: the database has that user already, or does not have it
 * - `ERR_USER_NAME`: the name is empty or too long
 * - `ERR_TOPIC_FILTER`: the filter is not valid, or lets a client publish to a `$` topic
 * - `ERR_TOPIC_UNKNOWN`: the user does not have that filter for that action
 * - `ERR_TOPIC_LIST`: the database has something else where the user's filters should be
 */
export type SqlUsersErrorCode =
  | "ERR_USER_EXISTS"
  | "ERR_USER_UNKNOWN"
  | "ERR_USER_NAME"
  | "ERR_TOPIC_FILTER"
  | "ERR_TOPIC_UNKNOWN"
  | "ERR_TOPIC_LIST";

export class SqlUsersError extends Error {
  override readonly name: string = "SqlUsersError";
  readonly code: SqlUsersErrorCode;

  constructor(code: SqlUsersErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface TopicLists {
  readonly username: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly receive: readonly string[];
}

const LONGEST_NAME = 255;

export class SqlUsers {
  readonly #open: OpenDatabase<Tables>;

  private constructor(open: OpenDatabase<Tables>) {
    this.#open = open;
  }

  /**
   * @param connection as in the plugin's options
   * @param options.create SQLite: create the file if it does not exist. Default false
   * @throws DatabaseError
   */
  static async open(connection: string, { create = false }: { readonly create?: boolean } = {}): Promise<SqlUsers> {
    return new SqlUsers(await openDatabase<Tables>(connection, { create }));
  }

  close(): Promise<void> {
    return this.#open.db.destroy();
  }

  /** Creates the tables that are missing. */
  createTables(): Promise<void> {
    return createTables(this.#open);
  }

  async listUsers(): Promise<string[]> {
    const rows = await this.#open.db.selectFrom("user_auth").select("username").orderBy("username").execute();
    return rows.map(({ username }) => username);
  }

  /** @throws SqlUsersError ERR_USER_EXISTS, ERR_USER_NAME */
  async addUser(username: string, password: string): Promise<void> {
    checkName(username);
    if (await this.#hasUser(username))
      throw new SqlUsersError("ERR_USER_EXISTS", `there is a user "${username}" already`);
    const password_hash = await hashPassword(password);
    const lists = { publish_acl: "[]", subscribe_acl: "[]", receive_acl: "[]" };
    await this.#open.db
      .insertInto("user_auth")
      .values({ username, password_hash, ...lists })
      .execute();
  }

  /** @throws SqlUsersError ERR_USER_UNKNOWN */
  async setPassword(username: string, password: string): Promise<void> {
    if (!(await this.#hasUser(username))) throw unknownUser(username);
    const password_hash = await hashPassword(password);
    await this.#open.db.updateTable("user_auth").set({ password_hash }).where("username", "=", username).execute();
  }

  /** Removes the user and its topics. @throws SqlUsersError ERR_USER_UNKNOWN */
  async removeUser(username: string): Promise<void> {
    if (!(await this.#hasUser(username))) throw unknownUser(username);
    await this.#open.db.deleteFrom("user_auth").where("username", "=", username).execute();
    await this.#open.db.deleteFrom("topic_auth").where("username", "=", username).execute();
  }

  async listTopics(): Promise<TopicLists[]> {
    const rows = await this.#open.db.selectFrom("topic_auth").selectAll().orderBy("username").execute();
    return rows.map(({ username, publish_acl, subscribe_acl, receive_acl }) => ({
      username,
      publish: readList(publish_acl) ?? [],
      subscribe: readList(subscribe_acl) ?? [],
      receive: readList(receive_acl) ?? [],
    }));
  }

  /** @throws SqlUsersError ERR_TOPIC_FILTER, ERR_TOPIC_LIST, ERR_USER_NAME */
  async addTopic(username: string, action: Action, filter: string): Promise<void> {
    checkName(username);
    if (!isTopicFilter(filter) || isShared(filter)) {
      throw new SqlUsersError("ERR_TOPIC_FILTER", `"${filter}" is no topic filter`);
    }
    if (action === "publish" && filter.startsWith("$")) {
      throw new SqlUsersError("ERR_TOPIC_FILTER", `clients may not publish to "${filter}"`);
    }
    const filters = await this.#topics(username, action);
    if (filters === undefined) {
      const lists = { publish_acl: "[]", subscribe_acl: "[]", receive_acl: "[]" };
      const values = { username, ...lists, [COLUMN[action]]: writeList([filter]) };
      await this.#open.db.insertInto("topic_auth").values(values).execute();
    } else if (!filters.includes(filter)) {
      await this.#setTopics(username, action, [...filters, filter]);
    }
  }

  /** @throws SqlUsersError ERR_TOPIC_UNKNOWN, ERR_TOPIC_LIST */
  async removeTopic(username: string, action: Action, filter: string): Promise<void> {
    const filters = (await this.#topics(username, action)) ?? [];
    if (!filters.includes(filter)) {
      throw new SqlUsersError("ERR_TOPIC_UNKNOWN", `user "${username}" has no "${filter}" to ${action}`);
    }
    await this.#setTopics(
      username,
      action,
      filters.filter((one) => one !== filter),
    );
  }

  async #hasUser(username: string): Promise<boolean> {
    const rows = await this.#open.db
      .selectFrom("user_auth")
      .select("username")
      .where("username", "=", username)
      .execute();
    return rows.some((row) => row.username === username);
  }

  async #topics(username: string, action: Action): Promise<string[] | undefined> {
    const rows = await this.#open.db.selectFrom("topic_auth").selectAll().where("username", "=", username).execute();
    const row = rows.find((one) => one.username === username);
    if (row === undefined) return undefined;
    const filters = readList(row[COLUMN[action]]);
    if (filters !== undefined) return filters;
    // A list that cannot be read must not be overwritten.
    throw new SqlUsersError("ERR_TOPIC_LIST", `${COLUMN[action]} of "${username}" in topic_auth is no list of topics`);
  }

  async #setTopics(username: string, action: Action, filters: readonly string[]): Promise<void> {
    await this.#open.db
      .updateTable("topic_auth")
      .set({ [COLUMN[action]]: writeList(filters) })
      .where("username", "=", username)
      .execute();
  }
}

function checkName(username: string): void {
  if (username !== "" && username.length <= LONGEST_NAME) return;
  throw new SqlUsersError("ERR_USER_NAME", `a user name has 1 to ${LONGEST_NAME} characters`);
}

function unknownUser(username: string): SqlUsersError {
  return new SqlUsersError("ERR_USER_UNKNOWN", `there is no user "${username}"`);
}
