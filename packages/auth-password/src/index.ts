export { type AuthPasswordOptions, authPassword } from "./auth-password.ts";
export { addUser, listUsers, removeUser, setPassword } from "./edit-password-file.ts";
export { type PasswordEntry, type PasswordFile, parsePasswordFile } from "./password-file.ts";
export { PasswordFileError, type PasswordFileErrorCode } from "./password-file-error.ts";
