import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeStore, type StoreFixture } from "@wrenmq/store/testing";
import { FileStore, type FileStoreOptions } from "@wrenmq/store-file";

function place(options: Omit<FileStoreOptions, "path">): () => StoreFixture {
  return () => {
    const path = mkdtempSync(join(tmpdir(), "wrenmq-store-"));
    return { make: () => new FileStore({ path, ...options }), dispose: () => rmSync(path, { recursive: true }) };
  };
}

describeStore("FileStore, batch", place({ durability: "batch" }), { runs: 100 });
describeStore("FileStore, fsync", place({ durability: "fsync" }), { runs: 20 });
// Files so small that nearly every batch starts one: cleaning is always under way.
describeStore("FileStore, tiny files", place({ durability: "batch", segmentBytes: 1 }), { runs: 100 });
