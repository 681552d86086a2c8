// A trace as a time line for people. Clients choose topics, names and payloads: what could steer a terminal is escaped.
import { reasonName } from "./names.ts";
import { bytesText, packetText, printable, quoted } from "./packet-text.ts";
import type { TracedMessage, TraceHeader, TraceRecord } from "./records.ts";

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
  return { seconds: ((record.at - start) / 1000).toFixed(3), text: printable(`${headOf(record)}${textOf(record)}`) };
}

/** What happened, without the client that it happened to: where a page shows one client only. */
export function recordWords(record: TraceRecord): string {
  return printable(textOf(record));
}

/** Whom a line is about. */
function headOf(record: TraceRecord): string {
  switch (record.kind) {
    case "packet":
      return `${record.client} #${record.connection} `;
    case "refused":
    case "disconnected":
      return `${record.client} #${record.connection}   `;
    case "state":
      return `${record.client} `;
    case "authorize":
    case "explain":
    case "delivered":
    case "queued":
    case "dropped":
      return `${record.client}   `;
    case "routed":
    case "lost":
    case "end":
      return "";
  }
}

function textOf(record: TraceRecord): string {
  switch (record.kind) {
    case "packet": {
      const arrow = record.direction === "in" ? "→" : "←";
      return `${arrow} ${packetText(record.packet)}`;
    }
    case "state": {
      const { connected, connection, subscriptions, queued, inflight } = record;
      const number = connection === undefined ? "" : ` (#${connection})`;
      const where = connected ? `is connected${number}` : "is not connected";
      const filters = subscriptions.map(({ filter, qos }) => `${quoted(filter)} QoS ${qos}`).join(", ");
      return `${where}; ${queued} queued, ${inflight} in flight; subscriptions: ${filters === "" ? "none" : filters}`;
    }
    case "authorize": {
      const verdict = record.reasonCode < 0x80 ? "allowed" : `refused with ${reasonName(record.reasonCode)}`;
      return `may ${record.action} ${quoted(record.topic)}: ${verdict}${ruleText(record.rule)}`;
    }
    case "explain": {
      const opinions = record.opinions.map(({ plugin, decision, rule }) => `${plugin}: ${decision}${ruleText(rule)}`);
      return `may ${record.action} ${quoted(record.topic)}? ${opinions.join("; ")}`;
    }
    case "refused":
      return `CONNECT refused with ${reasonName(record.reasonCode)}${ruleText(record.rule)}`;
    case "disconnected":
      return `the connection has ended: ${reasonName(record.reasonCode, "disconnect")}`;
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
      return `${messageText(record.message)}: ${how} at QoS ${record.qos}${record.retain ? ", retain" : ""}`;
    }
    case "queued":
      return `${messageText(record.message)}: queued at QoS ${record.qos}, ${record.length} wait`;
    case "dropped": {
      const verb = record.side === "publisher" ? "refused" : "dropped";
      return `${messageText(record.message)}: ${verb} (${record.reason})`;
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
