// Packets, properties and reason codes by the names that the standard gives them.
import { ReasonCode } from "@wrenmq/codec";

/** Between two words of a name; `QoS` is one. */
const WORDS = /(?<=[a-z]|QoS)(?<!Qo)(?=[A-Z])/g;

/** `puback` → `PUBACK` */
export function packetName(type: string): string {
  return type.toUpperCase();
}

/** `sessionExpiryInterval` → `Session Expiry Interval` [MQTT5 2.2.2.2] */
export function propertyName(key: string): string {
  const words = key.replaceAll(WORDS, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Names that are not the words of the key. */
const SPECIAL: Readonly<Record<string, string>> = {
  ReAuthenticate: "Re-authenticate",
  DisconnectWithWillMessage: "Disconnect with Will Message",
  GrantedQoS0: "Granted QoS 0",
  GrantedQoS1: "Granted QoS 1",
  GrantedQoS2: "Granted QoS 2",
};

/** By code; 0x00 has three names. [MQTT5 2.4] */
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ReasonCode)
    .filter(([key]) => key !== "NormalDisconnection" && key !== "GrantedQoS0")
    .map(([key, code]) => [code, SPECIAL[key] ?? sentence(key)]),
);

function sentence(key: string): string {
  const words = key.split(WORDS);
  const lower = words.map((word, index) => (index === 0 || /^QoS/.test(word) ? word : word.toLowerCase()));
  return lower.join(" ");
}

/**
 * `0x87 Not authorized`
 * @param type of the packet: 0x00 is `Granted QoS 0` in SUBACK and `Normal disconnection` in DISCONNECT
 */
export function reasonName(code: number, type: string = ""): string {
  const hex = `0x${code.toString(16).toUpperCase().padStart(2, "0")}`;
  if (code === 0 && type === "suback") return `${hex} Granted QoS 0`;
  if (code === 0 && type === "disconnect") return `${hex} Normal disconnection`;
  return `${hex} ${NAMES.get(code) ?? "unknown"}`;
}
