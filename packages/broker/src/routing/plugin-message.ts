// A message for a plugin's hands: a copy, which it may keep.
import type { PluginMessage } from "@wrenmq/plugin-api";
import { copyBytes, type StoredMessage } from "@wrenmq/protocol";

export function pluginMessage(message: StoredMessage): PluginMessage {
  const { topic, qos, retain, properties, publisher } = message;
  return { topic, payload: copyBytes(message.payload), qos, retain, properties, publisher };
}
