// `wrenmq store`.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { checkStore, compactStore, dumpStore, exportStore, importStore } from "@wrenmq/store-file";
import { shardPath, shardsIn } from "@wrenmq/workers/data";
import { CommandError } from "../../errors.ts";

export type StoreWork = "check" | "dump" | "export" | "import" | "compact";

/** @throws StoreError, CommandError */
export async function workOnStore(work: StoreWork, given: string): Promise<void> {
  const folder = oneStore(given);
  switch (work) {
    case "check":
      return check(folder);
    case "dump":
      for await (const line of dumpStore(folder)) await print(JSON.stringify(line));
      return;
    case "export":
      for await (const line of exportStore(folder)) await print(line);
      return;
    case "import":
      return importStore(folder, createInterface({ input: process.stdin }));
    case "compact": {
      const { before, after } = await compactStore(folder);
      return print(`${before} bytes before, ${after} bytes after`);
    }
  }
}

/**
 * The data folder of a broker may be given for its only store.
 * @throws CommandError when there are several
 */
function oneStore(folder: string): string {
  const shards = shardsIn(folder);
  if (shards === undefined) return folder;
  if (shards.workers === 1) return shardPath(folder, shards, 0);
  const [first, last] = [shardPath(folder, shards, 0), shardPath(folder, shards, shards.workers - 1)];
  throw new CommandError(
    `${folder} holds the stores of ${shards.workers} workers, ${first} to ${last}: name one of them`,
  );
}

async function check(folder: string): Promise<void> {
  const { ok, problems, tear, ...numbers } = await checkStore(folder);
  for (const [name, value] of Object.entries(numbers)) await print(`${name}: ${value}`);
  if (tear !== undefined) await print("the last batch was cut short; nothing that was promised is missing");
  for (const { file, offset, reason } of problems) await print(`${file}, byte ${offset}: ${reason}`);
  const places = problems.length === 1 ? "one place" : `${problems.length} places`;
  if (!ok) throw new CommandError(`${folder} is damaged in ${places}`);
}

/** Writes a line and waits for the reader: a store may be larger than memory. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
}
