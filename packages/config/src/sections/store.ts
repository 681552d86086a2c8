// Where sessions and retained messages are kept.
import { choice, path } from "../description/scalars.ts";
import { type Section, section } from "../description/section.ts";
import type { ValueType } from "../description/value-type.ts";
import { below } from "../source-node.ts";
import type { StoreSection } from "../wren-config.ts";

const fields: Section<StoreSection> = section<StoreSection>("Where sessions, queues and retained messages are kept.", {
  path: { doc: "Folder of the data; it is made if it does not exist.", type: path("made") },
  durability: {
    doc: "`memory`: lost at a restart; `batch`: written within milliseconds; `fsync`: on the disk before it is acknowledged. Without it: `batch` if there is a `path`, else `memory`.",
    type: choice(["memory", "batch", "fsync"]),
  },
});

const complete = (given: Partial<StoreSection>): StoreSection => ({
  ...given,
  durability: given.durability ?? (given.path === undefined ? "memory" : "batch"),
});

export const storeSection: ValueType<StoreSection> & Pick<Section<StoreSection>, "doc" | "fields" | "defaults"> = {
  ...fields,
  read(node, problems) {
    const given = fields.read(node, problems);
    if (!given) return undefined;
    const store = complete(given);
    if (store.durability === "memory" && store.path !== undefined) {
      problems.warn(below(node.place, "path"), "not used with durability memory");
      return { durability: "memory" };
    }
    if (store.durability !== "memory" && store.path === undefined) {
      return problems.error(below(node.place, "path"), `missing: durability ${store.durability} needs a folder`);
    }
    return store;
  },
  defaults: () => complete({}),
};
