// Commands about topics: publish a message, show who would receive one, and explain the plugins' decisions.
import { isGranted } from "@wrenmq/plugin-api";
import { z } from "zod";
import { AdminError } from "../admin-error.ts";
import { defineClusterCommand, defineCommand } from "../define-command.ts";
import { qos, topicName } from "./fields.ts";
import { sumOf } from "./merging.ts";

const opinion = z.object({
  plugin: z.string(),
  decision: z.enum(["allow", "deny", "abstain"]),
  rule: z.string().optional().describe("in the plugin's own words"),
});

export const topicsExplain = defineClusterCommand({
  name: "topics.explain",
  summary: "Say who would get a message of a topic, and which rule keeps it from whom.",
  kind: "read",
  input: z.strictObject({
    topic: topicName,
    qos: qos.default(1),
    publisher: z.string().max(1_024).optional().describe("client identifier of who would send it"),
    limit: z.int().min(1).max(1_000).default(100),
  }),
  output: z.object({
    topic: z.string(),
    mayPublish: z.boolean().optional().describe("may the publisher that was given send it?"),
    publishOpinions: z.array(opinion).optional(),
    retained: z.boolean().describe("is there a retained message of the topic?"),
    total: z.int().describe("sessions that match"),
    recipients: z.array(
      z.object({
        clientId: z.string(),
        username: z.string().optional(),
        connected: z.boolean(),
        filters: z.array(z.string()).describe("its subscriptions that match"),
        group: z.string().optional(),
        qos: z.int(),
        outcome: z
          .enum(["sent", "queued", "candidate", "offline", "blocked", "queueFull", "notAuthorized", "noLocal"])
          .describe("candidate: one member of the group gets it; offline, blocked: QoS 0, nobody takes it"),
        plugin: z.string().optional(),
        rule: z.string().optional(),
      }),
    ),
  }),
  cli: { words: "topics explain", arguments: ["topic"] },
  async run({ broker }, { topic, qos: level, publisher, limit }) {
    const { operations } = broker;
    const message = { topic, qos: level, ...(publisher === undefined ? {} : { publisher }) };
    const { recipients, total } = await operations.recipients(message, limit);
    const retained = operations.retainedAt(topic) !== undefined;
    const found = {
      topic,
      retained,
      total,
      recipients: [...recipients].map((one) => ({ ...one, filters: [...one.filters] })),
    };
    if (publisher === undefined) return { found, isHome: false };
    const publishOpinions = [...(await broker.explain({ client: publisher, action: "publish", topic }))];
    const isHome = broker.session(publisher) !== undefined;
    return { found, isHome, publish: { mayPublish: isGranted(publishOpinions), publishOpinions } };
  },
  merge(parts, { topic, limit }) {
    // The publisher's home knows who it is.
    const { publish: decision } = parts.find(({ isHome }) => isHome) ?? parts[0];
    const founds = parts.map(({ found }) => found);
    return {
      topic,
      retained: founds.some(({ retained }) => retained),
      total: sumOf(founds, "total"),
      recipients: founds.flatMap(({ recipients }) => recipients).slice(0, limit),
      ...decision,
    };
  },
});

export const explain = defineCommand({
  name: "explain",
  summary: "Say what each plugin of the running broker thinks of a client's access to a topic.",
  kind: "read",
  input: z.strictObject({
    topic: z.string().min(1).max(65_535).describe("topic name; a filter for subscribe"),
    action: z.enum(["publish", "subscribe", "receive"]).default("publish"),
    clientId: z.string().min(1).max(1_024).describe("a client that is connected, or has a session"),
  }),
  output: z.object({ allowed: z.boolean(), known: z.boolean(), opinions: z.array(opinion) }),
  cli: { words: "explain", arguments: ["topic"] },
  scope: "home",
  home: (input) => input.clientId,
  async run({ broker }, { topic, action, clientId }) {
    const opinions = [...(await broker.explain({ client: clientId, action, topic }))];
    return { allowed: isGranted(opinions), known: broker.session(clientId) !== undefined, opinions };
  },
});

export const publish = defineCommand({
  name: "publish",
  summary: "Publish a message on behalf of the server: no access rules apply.",
  kind: "write",
  input: z.strictObject({
    topic: topicName,
    payload: z.string().max(1_048_576).default(""),
    encoding: z.enum(["utf8", "base64"]).default("utf8").describe("of the payload"),
    qos: qos.default(0),
    retain: z.boolean().default(false),
    contentType: z.string().max(1_024).optional(),
    responseTopic: topicName.optional(),
    messageExpiryInterval: z.int().min(0).max(0xffff_ffff).optional().describe("seconds"),
    userProperties: z
      .array(z.tuple([z.string(), z.string()]))
      .max(100)
      .optional(),
  }),
  output: z.object({ delivered: z.boolean().describe("did anybody have a subscription for it?") }),
  cli: { words: "publish", arguments: ["topic"] },
  scope: "any",
  run({ broker }, { topic, payload, encoding, qos: level, retain, ...given }) {
    const isBase64 = encoding === "base64";
    if (isBase64 && !/^[A-Za-z0-9+/]*={0,2}$/.test(payload)) {
      throw new AdminError("invalid_input", "payload: it is not base64", { field: "payload", expected: "base64" });
    }
    const bytes = isBase64 ? Buffer.from(payload, "base64") : payload;
    const properties = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    return { delivered: broker.publish(topic, bytes, { qos: level, retain, properties }) };
  },
});
