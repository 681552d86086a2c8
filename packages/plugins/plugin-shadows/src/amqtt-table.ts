// Stores shadows in aMQTT's own table, which aMQTT can go on using: version and time have their own columns, and the
// column `state` has the rest of the document.
import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import { EMPTY, type ShadowDocument } from "./document.ts";
import { isObject, type Json, type JsonObject, type Leaf, type Leaves } from "./json.ts";
import type { ShadowStore } from "./shadow-store.ts";
import type { Tables } from "./tables.ts";

/** @param keep versions of a shadow to keep; 0: all */
export function amqttTable(db: Kysely<Tables>, keep: number): ShadowStore {
  return {
    async load(device, name) {
      const row = await db
        .selectFrom("shadows_shadow")
        .select(["version", "state", "created_at"])
        .where("device_id", "=", device)
        .where("name", "=", name)
        .orderBy("version", "desc")
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? undefined : documentOf(row);
    },
    async save(device, name, document) {
      const { version, timestamp } = document;
      const state = JSON.stringify(document);
      await db
        .insertInto("shadows_shadow")
        .values({ id: randomUUID(), device_id: device, name, version, state, created_at: timestamp })
        .execute();
      if (keep === 0 || version <= keep) return;
      await db
        .deleteFrom("shadows_shadow")
        .where("device_id", "=", device)
        .where("name", "=", name)
        .where("version", "<=", version - keep)
        .execute();
    },
    close: () => db.destroy(),
  };
}

interface Row {
  readonly version: number;
  readonly state: unknown;
  readonly created_at: number;
}

function documentOf({ version, state: stored, created_at: timestamp }: Row): ShadowDocument {
  const value = (typeof stored === "string" ? JSON.parse(stored) : stored) as Json;
  const { state, metadata } = isObject(value) ? value : {};
  return {
    state: sides(state, (side) => side),
    metadata: sides(metadata, timesOf),
    version,
    timestamp,
  };
}

function sides<T>(value: Json | undefined, read: (side: JsonObject) => T): { desired: T; reported: T } {
  const side = (name: "desired" | "reported"): T => {
    const found = isObject(value) ? value[name] : undefined;
    return read(isObject(found) ? found : EMPTY.state[name]);
  };
  return { desired: side("desired"), reported: side("reported") };
}

/** aMQTT stores null as the time of a null. */
function timesOf(times: JsonObject): Leaves {
  const result: Record<string, Leaf | Leaves> = {};
  for (const [key, value] of Object.entries(times)) {
    if (!isObject(value)) continue;
    const { timestamp } = value;
    result[key] = typeof timestamp === "number" ? { timestamp } : timesOf(value);
  }
  return result;
}
