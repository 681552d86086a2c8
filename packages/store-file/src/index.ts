export { FileStore } from "./file-store.ts";
export { FORMAT_VERSION as JOURNAL_FORMAT } from "./journal/format.ts";
export type { JournalMirror } from "./journal/journal-mirror.ts";
export { makeFolder } from "./make-folder.ts";
export type { FileStoreNotice, FileStoreOptions } from "./options.ts";
export type { Problem, Tear } from "./recovery/recovery.ts";
export type { Replay } from "./recovery/replay.ts";
export type { MessageJson, StoreLine } from "./tools/lines.ts";
export { checkStore, compactStore, dumpStore, exportStore, importStore, type StoreReport } from "./tools/tools.ts";
