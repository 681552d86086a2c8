// `wrenmq store check|dump|export|import|compact`.
import { Command } from "commander";
import type { StoreWork } from "./store.ts";

const WORK: Readonly<Record<StoreWork, string>> = {
  check: "read the whole store and report; exit code 1 if it is damaged",
  dump: "print what is in it, a line of JSON each; of a damaged store what can be read",
  export: "print it as text that import reads; refuses a damaged store",
  import: "make a store of such a text from stdin; the folder must be empty or not there",
  compact: "write what is still needed to new files",
};

export function storeCommand(): Command {
  const store = new Command("store").description("look after a data folder that no broker uses at the moment");
  for (const [name, description] of Object.entries(WORK)) {
    store
      .command(name)
      .description(description)
      .argument("<folder>", "the folder of --data")
      .action(async (folder: string) => {
        const { workOnStore } = await import("./store.ts");
        await workOnStore(name as StoreWork, folder);
      });
  }
  return store;
}
