// The section `store`: where sessions and retained messages are stored.
import { size } from "../description/quantities.ts";
import { choice, flag, path } from "../description/scalars.ts";
import { fieldTable, type Section, section } from "../description/section.ts";
import type { ValueType } from "../description/value-type.ts";
import { below, isEmpty, lookUp } from "../source-node.ts";
import type { StoreSection } from "../wren-config.ts";

const fields: Section<StoreSection> = section<StoreSection>(
  "Where sessions, queues and retained messages are stored.",
  {
    path: { doc: "Folder of the data; it is created if it does not exist.", type: path("made") },
    durability: {
      doc: "`memory`: lost at a restart; `batch`: written within milliseconds; `fsync`: on the disk before it is acknowledged. Without it: `batch` if there is a `path`, else `memory`.",
      type: choice(["memory", "batch", "fsync"]),
    },
    maxBytes: {
      doc: "Space that the data may use on disk. When it is used up publishers get 0x97 (Quota exceeded) until there is space again. Without it: no limit.",
      type: size({ unlimited: true }),
    },
    onDamage: {
      doc: "When the data are damaged: `refuse` to start, or `set-aside` the damaged files and go on with what can be read. Without it: `refuse`.",
      type: choice(["refuse", "set-aside"]),
    },
    clearOnShutdown: {
      doc: "Remove the data when the broker is shut down, so that they survive only a crash. Without it: `false`.",
      type: flag,
    },
  },
);

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
    if (store.durability === "memory") {
      const { durability, ...unused } = store;
      for (const property of Object.keys(unused)) {
        const { key } = fieldTable(fields.fields).find((field) => field.property === property) ?? { key: property };
        problems.warn(
          below(node.place, key),
          given.durability ? "not used with durability memory" : "not used without path",
        );
      }
      return { durability };
    }
    if (store.path === undefined && isEmpty(lookUp(node, "path"))) {
      return problems.error(below(node.place, "path"), `missing: durability ${store.durability} needs a folder`);
    }
    return store;
  },
  defaults: () => complete({}),
};
