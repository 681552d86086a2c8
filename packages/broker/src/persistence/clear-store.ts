// Removes every session and every retained message from the store at a shutdown that keeps nothing. It uses ordinary
// facts, so any store can do it.
import type { Store, StoreOp } from "@wrenmq/store";

/** Facts in one batch. */
const AT_ONCE = 1000;

export async function clearStore(store: Store): Promise<void> {
  let batch: StoreOp[] = [];
  const apply = async (): Promise<void> => {
    const full = batch;
    batch = [];
    if (full.length > 0) await store.apply(full);
  };
  const clientIds = [...store.sessions()].map(({ record }) => record.clientId);
  for (const clientId of clientIds) {
    batch.push({ op: "deleteSession", clientId });
    if (batch.length === AT_ONCE) await apply();
  }
  const topics: string[] = [];
  for (const { topic } of store.retained()) topics.push(topic);
  for (const topic of topics) {
    batch.push({ op: "deleteRetained", topic });
    if (batch.length === AT_ONCE) await apply();
  }
  await apply();
}
