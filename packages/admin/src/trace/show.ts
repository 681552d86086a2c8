// A trace as a time line for people. Clients choose topics, names and payloads: what could steer a terminal is escaped.
import { packetName, propertyName, reasonName } from "./names.ts";
import type { TracedBytes, TracedMessage, TraceHeader, TraceRecord } from "./records.ts";

type Values = Readonly<Record<string, unknown>>;

export function headerText(header: TraceHeader): string {
  const { at, broker, client, topic, seconds, payloads } = header;
  const whom = [
    client === undefined ? "" : `client ${quoted(client)}`,
    topic === undefined ? "" : `topic ${quoted(topic)}`,
  ];
  const what = whom.filter((one) => one !== "").join(", ");
  return printable(
    `WrenMQ ${broker}, ${new Date(at).toISOString()}: ${what}, for ${seconds} s, ${payloads ? "with" : "without"} payloads`,
  );
}

/**
 * One line without its end.
 * @param start epoch milliseconds of the first moment
 */
export function recordText(record: TraceRecord, start: number): string {
  const { seconds, text } = recordParts(record, start);
  return `${seconds.padStart(9)}  ${text}`;
}

/** The same in two parts. */
export function recordParts(record: TraceRecord, start: number): { readonly seconds: string; readonly text: string } {
  return { seconds: ((record.at - start) / 1000).toFixed(3), text: printable(textOf(record)) };
}

function textOf(record: TraceRecord): string {
  switch (record.kind) {
    case "packet": {
      const arrow = record.direction === "in" ? "→" : "←";
      return `${record.client} #${record.connection} ${arrow} ${packetText(record.packet as Values)}`;
    }
    case "state": {
      const { client, connected, connection, subscriptions, queued, inflight } = record;
      const number = connection === undefined ? "" : ` (#${connection})`;
      const where = connected ? `is connected${number}` : "is not connected";
      const filters = subscriptions.map(({ filter, qos }) => `${quoted(filter)} QoS ${qos}`).join(", ");
      return `${client} ${where}; ${queued} queued, ${inflight} in flight; subscriptions: ${filters === "" ? "none" : filters}`;
    }
    case "authorize": {
      const verdict = record.reasonCode < 0x80 ? "allowed" : `refused with ${reasonName(record.reasonCode)}`;
      return `${record.client}   may ${record.action} ${quoted(record.topic)}: ${verdict}${ruleText(record.rule)}`;
    }
    case "explain": {
      const opinions = record.opinions.map(({ plugin, decision, rule }) => `${plugin}: ${decision}${ruleText(rule)}`);
      return `${record.client}   may ${record.action} ${quoted(record.topic)}? ${opinions.join("; ")}`;
    }
    case "refused":
      return `${record.client} #${record.connection}   CONNECT refused with ${reasonName(record.reasonCode)}${ruleText(record.rule)}`;
    case "disconnected":
      return `${record.client} #${record.connection}   the connection has ended: ${reasonName(record.reasonCode, "disconnect")}`;
    case "routed": {
      const { sessions, groups, peers } = record;
      const whom = [
        sessions > 0 ? `${sessions} sessions` : "",
        groups > 0 ? `${groups} shared subscriptions` : "",
        peers > 0 ? `${peers} other brokers` : "",
      ].filter((one) => one !== "");
      const to = whom.length === 0 ? "nobody: no subscription matches" : whom.join(", ");
      return `${messageText(record.message)} goes to ${to}`;
    }
    case "delivered": {
      const how = record.waited ? "sent from the queue" : "sent";
      return `${record.client}   ${messageText(record.message)}: ${how} at QoS ${record.qos}${record.retain ? ", retain" : ""}`;
    }
    case "queued":
      return `${record.client}   ${messageText(record.message)}: queued at QoS ${record.qos}, ${record.length} wait`;
    case "dropped": {
      const verb = record.side === "publisher" ? "refused" : "dropped";
      return `${record.client}   ${messageText(record.message)}: ${verb} (${record.reason})`;
    }
    case "lost":
      return `${record.records} lines are missing here: more happened than could be written`;
    case "end":
      return `the end: ${record.reason === "time" ? "the time is over" : "the trace is as long as it may be"}; ${record.records} lines`;
  }
}

function ruleText(rule: string | undefined): string {
  return rule === undefined || rule === "" ? "" : ` (${rule})`;
}

function messageText({ topic, qos, publisher, payload, retain }: TracedMessage): string {
  const by = publisher === "" ? "the server" : publisher;
  return `message ${quoted(topic)} of ${by} (QoS ${qos}${retain ? ", retain" : ""}, ${bytesText(payload)})`;
}

/** Fields that are in the text already, or in the name. */
const IN_THE_TEXT: ReadonlySet<string> = new Set(["type", "properties", "reasonCode", "reasonCodes"]);

function packetText(packet: Values): string {
  const type = String(packet["type"]);
  const parts: string[] = [];
  for (const [key, value] of Object.entries(packet)) {
    if (!IN_THE_TEXT.has(key) && value !== false) parts.push(fieldText(key, value));
  }
  const { reasonCode, reasonCodes, properties } = packet;
  if (typeof reasonCode === "number") parts.push(reasonName(reasonCode, type));
  if (Array.isArray(reasonCodes)) parts.push(reasonCodes.map((code) => reasonName(Number(code), type)).join(", "));
  if (isValues(properties)) parts.push(propertiesText(properties));
  return [packetName(type), ...parts.filter((part) => part !== "")].join("  ");
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

function bytesText({ length, utf8, base64, truncated }: TracedBytes): string {
  const size = `${length} bytes`;
  const text = utf8 === undefined ? base64 : quoted(utf8);
  return text === undefined ? size : `${size} ${text}${truncated === true ? "…" : ""}`;
}

function quoted(value: unknown): string {
  return JSON.stringify(String(value));
}

function isValues(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Escapes control, bidirectional and invisible characters. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\u2028\u2029]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
