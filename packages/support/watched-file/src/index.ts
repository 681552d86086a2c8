export { readLines, replaceLines } from "./file-lines.ts";
export { checkContents, readContents, reasonWith } from "./read-contents.ts";
export {
  appendUser,
  changeUser,
  listUsers,
  removeUser,
  UserFileError,
  type UserFileErrorCode,
  userOfLine,
} from "./user-lines.ts";
export { WatchedFile, type WatchedFileOptions } from "./watched-file.ts";
