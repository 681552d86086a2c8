export type { HashOptions, HashScheme } from "@wrenmq/password-hash";
export { listUsers, removeUser, UserFileError, type UserFileErrorCode } from "@wrenmq/watched-file";
export { authPassword } from "./auth-password.ts";
export { addUser, setPassword } from "./edit-password-file.ts";
export { passwordFileAdvice } from "./file-advice.ts";
export type { AuthPasswordOptions } from "./options.ts";
export { type PasswordEntry, type PasswordFile, parsePasswordFile } from "./password-file.ts";
