// The folder of the shards' copies is there before the first shard is: the socket for commands is in it.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterMember } from "@wrenmq/cluster-nats";
import type { ClusterSection, StoreSection } from "@wrenmq/config";
import { expect, onTestFinished, test } from "vitest";
import { replicatedStores } from "../src/cluster/shard-stores.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "wrenmq-shard-stores-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const stores = (path: string): unknown =>
  replicatedStores({} as ClusterMember, { name: "demo", replicas: 1 } as ClusterSection, { path } as StoreSection);

test("the folder is made at once, with those above it", () => {
  const path = join(temporaryFolder(), "a", "data");
  stores(path);
  expect(existsSync(path)).toBe(true);
});

test("a file in its place is an error that names it", () => {
  const path = join(temporaryFolder(), "data");
  writeFileSync(path, "");
  expect(() => stores(path)).toThrow(
    expect.objectContaining({ code: "ERR_STORE_OPEN", message: expect.stringContaining(path) as string }),
  );
});
