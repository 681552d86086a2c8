export { FileStore } from "./file-store.ts";
export { makeFolder } from "./make-folder.ts";
export type { FileStoreNotice, FileStoreOptions } from "./options.ts";
export type { Problem, Tear } from "./recovery/recovery.ts";
export type { MessageJson, StoreLine } from "./tools/lines.ts";
export { checkStore, compactStore, dumpStore, exportStore, importStore, type StoreReport } from "./tools/tools.ts";
