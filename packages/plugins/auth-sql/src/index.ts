export { type AuthSqlOptions, authSql } from "./auth-sql.ts";
export { SqlUsers, SqlUsersError, type SqlUsersErrorCode, type TopicLists } from "./sql-users.ts";
