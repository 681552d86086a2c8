export { FileStore } from "./file-store.ts";
export type { FileStoreNotice, FileStoreOptions } from "./options.ts";
export type { Problem } from "./recovery.ts";
