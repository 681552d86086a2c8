// A message as plugins get it: a copy that they may keep.
import type { PluginMessage } from "@wrenmq/plugin-api";
import { copyBytes, type StoredMessage } from "@wrenmq/protocol";

export function pluginMessage(message: StoredMessage): PluginMessage {
  const { topic, qos, retain, properties, publisher } = message;
  return { topic, payload: copyBytes(message.payload), qos, retain, properties, publisher };
}
