// The interface of stores of shadows, and the store that uses retained messages; sql-store.ts uses a database.
import type { PluginContext } from "@wrenmq/plugin-api";
import type { ShadowDocument } from "./document.ts";

export interface ShadowStore {
  load(device: string, name: string): Promise<ShadowDocument | undefined>;
  /** Rejects when the version exists already. */
  save(device: string, name: string, document: ShadowDocument): Promise<void>;
  close(): Promise<void>;
}

/** The document is the retained message of `$shadow/<device>/<name>`. */
export function retainedStore(context: PluginContext): ShadowStore {
  const topicOf = (device: string, name: string) => `$shadow/${device}/${name}`;
  return {
    async load(device, name) {
      for (const { payload } of context.retainedMessages(topicOf(device, name))) {
        return JSON.parse(new TextDecoder().decode(payload)) as ShadowDocument;
      }
      return undefined;
    },
    async save(device, name, document) {
      context.retain(topicOf(device, name), JSON.stringify(document), { qos: 1 });
    },
    close: async () => {},
  };
}
