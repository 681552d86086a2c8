export { databaseReason } from "@wrenmq/sql-database";
export { type AuthSqlOptions, authSql } from "./auth-sql.ts";
export { SqlUsers, SqlUsersError, type SqlUsersErrorCode, type TopicLists } from "./sql-users.ts";
