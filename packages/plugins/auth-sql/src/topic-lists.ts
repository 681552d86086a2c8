// Caches a user's topic filters of the database for a few seconds: a client that connects causes many requests at once.
import type { Action } from "@wrenmq/plugin-api";
import type { TopicGrants } from "@wrenmq/plugin-api/grants";
import { COLUMN, type Db, readList } from "./tables.ts";

const LIMIT = 10_000;

export class TopicListCache {
  readonly #db: Db;
  readonly #lifetime: number;
  readonly #kept = new Map<string, { readonly grants: Promise<TopicGrants | undefined>; readonly end: number }>();

  /** @param lifetime milliseconds */
  constructor(db: Db, lifetime: number) {
    this.#db = db;
    this.#lifetime = lifetime;
  }

  get(username: string): Promise<TopicGrants | undefined> {
    const now = Date.now();
    const kept = this.#kept.get(username);
    if (kept !== undefined && kept.end > now) return kept.grants;
    const grants = this.#read(username);
    this.#kept.delete(username);
    this.#kept.set(username, { grants, end: now + this.#lifetime });
    grants.catch(() => this.#kept.delete(username));
    for (const [name, { end }] of this.#kept) {
      if (end > now && this.#kept.size <= LIMIT) break;
      this.#kept.delete(name);
    }
    return grants;
  }

  async #read(username: string): Promise<TopicGrants | undefined> {
    const rows = await this.#db.selectFrom("topic_auth").selectAll().where("username", "=", username).execute();
    const row = rows.find((one) => one.username === username);
    if (row === undefined) return undefined;
    const filters = (action: Action): readonly string[] => {
      const list = readList(row[COLUMN[action]]);
      if (list === undefined) throw new Error(`topic_auth.${COLUMN[action]} of "${username}" is no list of topics`);
      return list;
    };
    return { publish: filters("publish"), subscribe: filters("subscribe"), receive: filters("receive") };
  }
}
