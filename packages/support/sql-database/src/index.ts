export { DatabaseError, type DatabaseErrorCode } from "./database-error.ts";
export { databaseReason } from "./database-reason.ts";
export { type DatabaseKind, type DatabaseUrl, parseDatabaseUrl } from "./database-url.ts";
export { checkDatabase, type OpenDatabase, type OpenOptions, openDatabase } from "./open-database.ts";
