export { databaseReason } from "@wrenmq/sql-database";
export { authSql } from "./auth-sql.ts";
export type { AuthSqlOptions } from "./options.ts";
export { SqlUsers, SqlUsersError, type SqlUsersErrorCode, type TopicLists } from "./sql-users.ts";
