export { listUsers, removeUser, UserFileError, type UserFileErrorCode } from "@wrenmq/watched-file";
export { authScram } from "./auth-scram.ts";
export { parseScramFile, type ScramCredentials, scramCredentials } from "./credentials.ts";
export { addScramUser, setScramPassword } from "./edit-scram-file.ts";
export { scramFileAdvice } from "./file-advice.ts";
export type { AuthScramOptions } from "./options.ts";
