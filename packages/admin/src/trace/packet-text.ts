// Packets in words: in one line, and part by part. Clients choose topics, names and payloads: what could steer a terminal
// is escaped.
import { packetName, propertyName, reasonName } from "./names.ts";
import type { TracedBytes, TracedPacket } from "./records.ts";

type Values = Readonly<Record<string, unknown>>;

/** Fields that are in the text already, or in the name. */
const IN_THE_TEXT: ReadonlySet<string> = new Set(["type", "properties", "reasonCode", "reasonCodes"]);

export function packetText(packet: TracedPacket): string {
  return [packetName(packet.type), ...fieldsOf(packet)].join("  ");
}

/** What is in a packet, in one line, without its name. What could steer a terminal is escaped. */
export function packetWords(packet: TracedPacket): string {
  return printable(fieldsOf(packet).join("  "));
}

function fieldsOf(packet: Values): string[] {
  const type = String(packet["type"]);
  const parts: string[] = [];
  for (const [key, value] of Object.entries(packet)) {
    if (!IN_THE_TEXT.has(key) && value !== false) parts.push(fieldText(key, value));
  }
  const { reasonCode, reasonCodes, properties } = packet;
  if (typeof reasonCode === "number") parts.push(reasonName(reasonCode, type));
  if (Array.isArray(reasonCodes)) parts.push(reasonCodes.map((code) => reasonName(Number(code), type)).join(", "));
  if (isValues(properties)) parts.push(propertiesText(properties));
  return parts.filter((part) => part !== "");
}

/**
 * Every field and property of a packet with its name, reason codes by their names. The payload of PUBLISH is left out.
 */
export function packetFacts(packet: TracedPacket): [name: string, value: string][] {
  const { type, properties = {}, ...fields } = packet as TracedPacket & { readonly properties?: Values };
  const facts = Object.entries(fields).flatMap(([key, value]) => factsOf(key, value, type));
  for (const [key, value] of Object.entries(properties)) {
    for (const one of isPairs(value) ? value : [value]) facts.push([propertyName(key), plainText(one)]);
  }
  return facts.map(([name, value]) => [printable(name), printable(value)]);
}

/** Names of fields that are not the words of the key. */
const FACT_NAMES: Readonly<Record<string, string>> = {
  protocolVersion: "MQTT",
  clientId: "Client Identifier",
  username: "User Name",
  packetId: "Packet Identifier",
  qos: "QoS",
  dup: "DUP",
};

const factName = (key: string): string => FACT_NAMES[key] ?? propertyName(key);

function factsOf(key: string, value: unknown, type: string): [string, string][] {
  const name = factName(key);
  if (key === "payload") return [];
  if (key === "reasonCode") return [[name, reasonName(Number(value), type)]];
  if (key === "reasonCodes" && Array.isArray(value)) {
    return value.map((code, index) => [`Reason Code ${index + 1}`, reasonName(Number(code), type)]);
  }
  if (key === "will" && isValues(value)) {
    const { properties, payload, ...fields } = value;
    const inner = [...Object.entries(fields), ...Object.entries(isValues(properties) ? properties : {})];
    return [
      ...inner.map(([field, one]): [string, string] => [
        `Will ${factName(field).replace(/^Will /, "")}`,
        plainText(one),
      ]),
      ["Will Payload", plainText(payload)],
    ];
  }
  if (key === "subscriptions" && Array.isArray(value)) {
    return value.map((one, index) => [`Topic Filter ${index + 1}`, subscriptionText(one)]);
  }
  if (key === "topicFilters" && Array.isArray(value)) {
    return value.map((one, index) => [`Topic Filter ${index + 1}`, quoted(one)]);
  }
  if (key === "protocolVersion") return [[name, VERSIONS[String(value)] ?? String(value)]];
  if (key === "keepAlive") return [[name, `${String(value)} s`]];
  return [[name, plainText(value)]];
}

/** As `valueText`, but a text is not quoted where it stands alone. */
function plainText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === "string"))
    return value.join(" = ");
  return valueText(value);
}

/** User properties, of which each is a fact. */
function isPairs(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.every(Array.isArray);
}

const FIELD_NAMES: Readonly<Record<string, string>> = {
  protocolVersion: "MQTT",
  clientId: "client identifier",
  cleanStart: "clean start",
  keepAlive: "keep alive",
  username: "user name",
  packetId: "id",
  qos: "QoS",
  topicFilters: "",
  subscriptions: "",
  topic: "",
  dup: "DUP",
  sessionPresent: "session present",
};
const VERSIONS: Readonly<Record<string, string>> = { 3: "3.1", 4: "3.1.1", 5: "5.0" };

function fieldText(key: string, value: unknown): string {
  const name = FIELD_NAMES[key] ?? key;
  if (value === true) return name;
  if (key === "protocolVersion") return `${name} ${VERSIONS[String(value)] ?? String(value)}`;
  if (key === "will" && isValues(value)) {
    const { topic, qos, retain, payload, properties } = value;
    const more = isValues(properties) ? `, ${propertiesText(properties)}` : "";
    return `will ${quoted(topic)} (QoS ${String(qos)}${retain === true ? ", retain" : ""}, ${valueText(payload)}${more})`;
  }
  if (key === "subscriptions" && Array.isArray(value)) return value.map(subscriptionText).join(", ");
  if (key === "topicFilters" && Array.isArray(value)) return value.map(quoted).join(", ");
  if (key === "keepAlive") return `${name} ${String(value)} s`;
  return `${name} ${valueText(value)}`.trimStart();
}

function subscriptionText(subscription: unknown): string {
  if (!isValues(subscription)) return "?";
  const { topicFilter, qos, noLocal, retainAsPublished, retainHandling } = subscription;
  const options = [
    `QoS ${String(qos)}`,
    noLocal === true ? "No Local" : "",
    retainAsPublished === true ? "Retain As Published" : "",
    retainHandling === 0 || retainHandling === undefined ? "" : `Retain Handling ${String(retainHandling)}`,
  ];
  return `${quoted(topicFilter)} ${options.filter((one) => one !== "").join(", ")}`;
}

function propertiesText(properties: Values): string {
  return Object.entries(properties)
    .map(([key, value]) => `${propertyName(key)} ${valueText(value)}`)
    .join(", ");
}

function valueText(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) {
    return value.map((one) => (Array.isArray(one) ? one.map(String).map(quoted).join("=") : valueText(one))).join(" ");
  }
  if (!isValues(value)) return String(value);
  if ("hidden" in value) return "(hidden)";
  if (typeof value["length"] === "number") return bytesText(value as unknown as TracedBytes);
  return JSON.stringify(value);
}

export function bytesText({ length, utf8, base64, truncated }: TracedBytes): string {
  const size = `${length} bytes`;
  const text = utf8 === undefined ? base64 : quoted(utf8);
  return text === undefined ? size : `${size} ${text}${truncated === true ? "…" : ""}`;
}

export function quoted(value: unknown): string {
  return JSON.stringify(String(value));
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Escapes control, bidirectional and invisible characters. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{C}\u2028\u2029]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
