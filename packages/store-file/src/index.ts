export { FileStore } from "./file-store.ts";
export type { MessageJson, StoreLine } from "./lines.ts";
export type { FileStoreNotice, FileStoreOptions } from "./options.ts";
export type { Problem, Tear } from "./recovery.ts";
export { checkStore, compactStore, dumpStore, exportStore, importStore, type StoreReport } from "./tools.ts";
